#include "protocol/replication/publish.h"

#include <string.h>

#include "protocol/base/planted.h"
#include "protocol/contents/mirror.h"
#include "protocol/record/certificate.h"
#include "protocol/record/kind.h"
#include "protocol/replication/generation.h"
#include "protocol/replication/push.h"
#include "protocol/state/access.h"
#include "protocol/state/equivocation.h"

static void publish_answer(struct token token, err verdict, const struct record_claim *claim,
                           struct step *step)
{
    if (token.value == 0)
        return;
    struct effect *effect = step_effect(step, EFFECT_DONE);
    effect->token = token;
    effect->done.verdict = verdict;
    if (claim != NULL) {
        effect->done.record = claim->id;
        effect->done.sequence = claim->header.sequence;
    }
}

static uint16_t publish_kind(const struct publish_post *post)
{
    struct reader reader = reader_of(post->plaintext);
    return post->plaintext.size >= 2 ? reader_u16(&reader) : KIND_NONE;
}

/* (T-15) an expired roster stops announcements and grants, and nothing else */
static bool publish_needs_roster(const struct publish_post *post)
{
    uint16_t kind = publish_kind(post);
    return (post->scope.kind == SCOPE_BOARD && kind == KIND_ANNOUNCEMENT) ||
           (post->scope.kind == SCOPE_CASE && kind == KIND_GRANT);
}

/* A case begins here with its opening, elsewhere with the wish to join. */
static bool publish_has_room(const struct engine *engine, const struct publish_post *post,
                             const struct case_id *case_id)
{
    uint16_t kind = publish_kind(post);
    if (post->scope.kind == SCOPE_CASE && kind == KIND_OPEN)
        return case_table_is_known(engine, case_id) || case_table_has_room(engine, true);
    return post->scope.kind != SCOPE_MAIL || kind != KIND_JOIN ||
           case_table_has_room(engine, false);
}

/* C-50: what others obey although our streams stand still for them, we may still say. */
static bool publish_is_erase(const struct publish_post *post)
{
    return post->scope.kind == SCOPE_CASE && post->audience == AUDIENCE_CLEAR &&
           publish_kind(post) == KIND_ERASE;
}

/* The first revocation of a certificate: who left must not sign until there is room. There are no
 * more of them than certificates; another one of the same waits (C-58). */
static bool publish_revokes(const struct engine *engine, const struct statement *statement)
{
    struct certificate_revocation revocation;
    if (statement->kind != KIND_REVOCATION ||
        certificate_revocation_read(statement->content, &revocation) != OK)
        return false;
    const struct clinician *known = clinicians_find(&engine->clinicians, &revocation.cert_id);
    return known != NULL && !known->is_revoked;
}

/* What an erasure has to say: it stands in the place of more than it takes (C-55). And a
 * revocation, which is small and cannot wait. */
static bool publish_releases(const struct engine *engine, enum scope_kind scope,
                             struct bytes plaintext)
{
    struct statement statement;
    struct mirror mirror;
    if (statement_read(plaintext, &statement) != OK)
        return false;
    if (scope == SCOPE_FEDERATION)
        return publish_revokes(engine, &statement);
    if (scope == SCOPE_CASE)
        return statement.kind == KIND_ERASE || statement.kind == KIND_ERASED;
    return statement.kind == KIND_MIRROR && mirror_read(statement.content, &mirror) == OK &&
           mirror.what == MIRROR_ERASED;
}

/* What the header's reader refuses must not be sealed: the stream would wait for it for ever. */
static bool publish_may_be(const struct publish_post *post)
{
    switch (post->scope.kind) {
    case SCOPE_FEDERATION:
        return post->audience == AUDIENCE_CLEAR;
    case SCOPE_CASE:
        return true;
    case SCOPE_BOARD:
    case SCOPE_MAIL:
        return post->audience != AUDIENCE_REQUESTER;
    }
    return false;
}

err publish_post(struct engine *engine, const struct publish_post *post, struct step *step)
{
    err failure = peers_may_post(engine);
    if (failure != OK &&
        !(failure == ERR_FULL && publish_releases(engine, post->scope.kind, post->plaintext)))
        return failure;
    if (!publish_may_be(post))
        return ERR_INVALID;
    struct case_id case_id = scope_case_id(&post->scope);
    if (post->scope.kind == SCOPE_CASE && post->audience != AUDIENCE_CLEAR &&
        case_table_is_erased(engine, &case_id))
        return ERR_DESTROYED;
    if (!publish_has_room(engine, post, &case_id))
        return ERR_FULL; /* (C-54) */
    if (publish_needs_roster(post) && roster_expired(engine->roster, engine->wall))
        return ERR_EXPIRED;
    if (post->plaintext.size > RECORD_PLAINTEXT_SIZE_MAX)
        return ERR_TOO_LARGE;
    struct record_header header = {.federation = engine->config.federation,
                                   .audience = post->audience,
                                   .head = roster_current_id(engine->roster),
                                   .time = engine->wall,
                                   .expires = post->expires};
    failure = generation_own(engine, &post->scope, &header.stream, &header.previous);
    if (failure != OK)
        return failure;
    struct sign_key key;
    failure = access_write(engine, &header, &key);
    bool is_erase = publish_is_erase(post);
    bool is_stopped = failure == ERR_FORKED || failure == ERR_UNKNOWN_MEMBER;
    if (failure != OK && !(is_erase && is_stopped))
        return failure;
    uint32_t slot = equivocation_add_stream(engine, &header.stream);
    if (slot == STREAM_NONE)
        return ERR_FULL;
    struct stream *stream = &engine->streams.all[slot];
    /* what others send of our own stream delays nothing before it is known to be ours */
    if (stream->is_sealing || stream->kept != stream->tail)
        return ERR_BUSY;
    if ((stream->flags & STREAM_FORKED) != 0 && !is_erase)
        return ERR_FORKED;
    header.sequence = stream->kept + 1;
    stream->is_sealing = true;
    uint8_t *copy = step_reserve(step, post->plaintext.size);
    memcpy(copy, post->plaintext.data, post->plaintext.size);
    struct effect *effect = step_effect(step, EFFECT_SEAL);
    effect->token = post->token;
    effect->seal.stream = slot;
    effect->seal.header = header;
    effect->seal.plaintext = (struct bytes){copy, post->plaintext.size};
    return OK;
}

void publish_event(struct engine *engine, const struct event *event, struct step *step)
{
    struct publish_post post = {.scope = event->post.scope,
                                .audience = event->post.audience,
                                .plaintext = event->post.plaintext,
                                .expires = event->post.expires,
                                .token = event->token};
    err failure = publish_post(engine, &post, step);
    if (failure != OK)
        publish_answer(event->token, failure, NULL, step);
}

void publish_sealed(struct engine *engine, const struct event *event, struct step *step)
{
    struct record_claim claim;
    if (event->verdict != OK || event->batch.record_count != 1 ||
        record_parse(event->batch.records[0].record, &claim) != OK) {
        if (event->batch.run_count == 1 && event->batch.runs->stream < engine->streams.count)
            engine->streams.all[event->batch.runs->stream].is_sealing = false;
        publish_answer(event->token, event->verdict == OK ? ERR_INVALID : event->verdict, NULL,
                       step);
        return;
    }
    uint32_t slot = streams_find(&engine->streams, &claim.header.stream);
    if (slot == STREAM_NONE)
        return;
    struct stream *stream = &engine->streams.all[slot];
    stream->is_sealing = false;
    if (stream->kept + 1 != claim.header.sequence) {
        /* what we wrote there once came back meanwhile: this one never leaves */
        publish_answer(event->token, ERR_BUSY, NULL, step);
        if (event->token.value == 0)
            notice_put(&engine->notices, &(struct notice){.kind = NOTICE_WRITE_FAILED,
                                                          .record = event->batch.records});
        return;
    }
    const struct chain_link *head = chain_find(&engine->roster->chain, &claim.header.head);
    streams_keep(&engine->streams, slot, claim.header.sequence, &claim.id,
                 head == NULL ? stream->kept_epoch : head->epoch);
    streams_fall_back(&engine->streams, slot); /* to here */
    struct step_run *run = step_reserve(step, sizeof *run);
    struct step_record *record = step_reserve(step, sizeof *record);
    *run = (struct step_run){
        .stream = slot, .speculation = stream->speculation, .first = stream->kept, .count = 1};
    *record = event->batch.records[0];
    record->flags = RECORD_OWN;
    record->id = claim.id;
    struct effect *effect = step_effect(step, EFFECT_KEEP);
    effect->token = event->token;
    effect->is_releasing =
        publish_releases(engine, claim.header.stream.scope.kind, record->plaintext);
    effect->batch = (struct step_batch){run, 1, record, 1};
    if (PLANTED(PUSHED_BEFORE_COMMIT))
        push_push(engine, slot, &claim, record, step);
    if (PLANTED(ANSWERED_BEFORE_COMMIT))
        publish_answer(event->token, OK, &claim, step);
}

void publish_kept(struct engine *engine, const struct event *event, struct step *step)
{
    struct record_claim claim;
    if (event->batch.record_count != 1 || (event->batch.records[0].flags & RECORD_OWN) == 0)
        return;
    if (record_parse(event->batch.records[0].record, &claim) != OK)
        return;
    if (event->verdict == OK)
        clock_check_wrote(engine, claim.header.time);
    publish_answer(event->token, event->verdict, &claim, step);
}
