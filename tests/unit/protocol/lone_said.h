/* What hospitals say to a core that stands alone, and what it says itself: greetings, certificates,
 * statements that clinicians sign, records, a case. */
#ifndef CONSILIUM_TESTS_UNIT_PROTOCOL_LONE_SAID_H
#define CONSILIUM_TESTS_UNIT_PROTOCOL_LONE_SAID_H

#include "protocol/consult/announcement.h"
#include "protocol/consult/caserecord.h"
#include "protocol/consult/vocabulary.h"
#include "protocol/record/certificate.h"
#include "protocol/record/statement.h"
#include "tests/unit/protocol/lone.h"

/* ---- the others ---- */

/* Hospital `who` connects by the link of its number, and greets. */
static LONE_UNUSED void lone_meet(struct lone *lone, uint32_t who)
{
    uint8_t memory[256];
    struct buffer frame = buffer_over(memory, sizeof memory);
    const struct roster *roster = &lone->federation.roster;
    struct event event = lone_event(lone, EVENT_LINK_UP);
    struct member member = federation_member(who, 1);
    event.link.value = who;
    event.peer = member.transport_key;
    lone_give(lone, &event);
    struct frame_hello hello = {.version_min = FRAME_VERSION,
                                .version_max = FRAME_VERSION,
                                .federation = roster_federation(roster),
                                .epoch = roster_current_head(roster)->epoch,
                                .head = roster_current_id(roster),
                                .time = event.wall};
    frame_hello_write(&frame, &hello);
    lone_hear(lone, who, buffer_bytes(&frame));
}

/* A statement as hospital `who` writes it; its clinician signs when the kind wants that. */
static LONE_UNUSED void lone_statement(const struct lone *lone, uint32_t who,
                                       const struct scope *scope, struct statement *statement,
                                       struct buffer *out)
{
    const struct lone_hospital *hospital = &lone->hospitals[who];
    const struct kind_rule *rule = kind_rule(statement->kind);
    if (rule != NULL && rule->signing == KIND_BY_CLINICIAN) {
        struct statement_place place = {lone->config.federation, *scope, hospital->node};
        struct statement_author author = {.cert_id = hospital->cert_id,
                                          .time = lone_event(lone, EVENT_TICK).wall};
        statement_sign(statement, &place, &author, hospital->clinician_secret);
    }
    if (statement_write(statement, out) != OK)
        out->failed = true;
}

/* The header of the next record in a stream that hospital `who` begins. */
static LONE_UNUSED struct record_header lone_header(const struct lone *lone, uint32_t who,
                                                    const struct scope *scope)
{
    return (struct record_header){.federation = lone->config.federation,
                                  .stream = {*scope, lone->hospitals[who].node, 1},
                                  .audience = scope->kind == SCOPE_FEDERATION ? AUDIENCE_CLEAR
                                                                              : AUDIENCE_SCOPE,
                                  .sequence = 1,
                                  .head = roster_current_id(&lone->federation.roster),
                                  .time = lone_event(lone, EVENT_TICK).wall};
}

/* Seals and signs a record into a RECORDS frame; the header becomes that of the next. */
static LONE_UNUSED bool lone_record(struct lone *lone, uint32_t who, struct record_header *header,
                                    struct bytes plaintext, struct buffer *frame)
{
    static uint8_t memory[RECORD_SIZE_MAX];
    struct record_secrets secrets = {.sign_secret = lone->hospitals[who].sign_secret};
    struct buffer out = buffer_over(memory, sizeof memory);
    secrets.key.bytes[0] = (uint8_t)header->sequence;
    secrets.key.bytes[1] = (uint8_t)who;
    if (record_seal(header, plaintext, &secrets, &out, &header->previous) != OK)
        return false;
    header->sequence++;
    frame_record_write(frame, &(struct frame_record){header->audience != AUDIENCE_CLEAR,
                                                     secrets.key, buffer_bytes(&out)});
    return !frame->failed;
}

/* ---- making one ---- */

static LONE_UNUSED void lone_post(struct lone *lone, const struct scope *scope,
                                  enum audience audience, struct bytes plaintext)
{
    struct event event = lone_event(lone, EVENT_POST);
    event.token.value = 1;
    event.post.scope = *scope;
    event.post.audience = audience;
    event.post.plaintext = plaintext;
    lone_give(lone, &event);
}

/* The content of a CERTIFICATE for the clinician of hospital `who`. */
static LONE_UNUSED void lone_certificate(struct lone *lone, uint32_t who, struct buffer *out)
{
    static uint8_t asked[CERTIFICATE_REQUEST_SIZE_MAX];
    struct lone_hospital *hospital = &lone->hospitals[who];
    struct buffer bytes = buffer_over(asked, sizeof asked);
    struct certificate_request request = {.federation = lone->config.federation,
                                          .node_id = hospital->node,
                                          .clinician_key = hospital->clinician_key,
                                          .name = bytes_of_text("Lin Wei"),
                                          .credentials = bytes_of_text("MD"),
                                          .specialties = {bytes_of_text("hematology")},
                                          .specialty_count = 1,
                                          .country = bytes_of_text("CH")};
    lone_must(certificate_request_write(&request, &bytes) == OK);
    struct certificate_issue issue = {.request = buffer_bytes(&bytes),
                                      .serial = 1,
                                      .valid_from = {FEDERATION_START_MS},
                                      .valid_until = {FEDERATION_START_MS * 2}};
    certificate_prove(issue.request, hospital->clinician_secret, &issue.possession);
    lone_must(certificate_write(&issue, hospital->sign_secret, out, &hospital->cert_id) == OK);
}

/* One that holds so many envelopes for others; 0: it takes no part in custody. */
static LONE_UNUSED struct lone *lone_new_holding(uint32_t held_count_max)
{
    struct lone *lone = calloc(1, sizeof *lone);
    lone_must(lone != NULL);
    federation_found(&lone->federation, roster_plan_small(), LONE_HOSPITALS);
    lone->step.arena = malloc(STEP_ARENA_SIZE);
    lone->now_ms = 1000;
    for (uint32_t who = 1; who <= LONE_HOSPITALS; who++) {
        struct lone_hospital *hospital = &lone->hospitals[who];
        hospital->node = federation_node(who);
        federation_key(who, 2, hospital->sign_key.bytes, hospital->sign_secret);
        federation_key(who, 9, hospital->clinician_key.bytes, hospital->clinician_secret);
    }
    struct core_config *config = &lone->config;
    core_config_defaults(config);
    config->federation = roster_federation(&lone->federation.roster);
    config->self = federation_node(LONE_SELF);
    config->roster = &lone->federation.roster;
    config->stream_count_max = config->mark_count_max = 256;
    config->lack_count_max = 256;
    config->case_count_max = config->case_awake_max = 8;
    config->clinician_count_max = 64;
    config->writer_count_max = 128;
    config->held_count_max = held_count_max;
    config->deposit_count_max = held_count_max;
    config->reach_count_max = held_count_max == 0 ? 0 : 64;
    lone->core_size = (core_memory_size(config) + 15) & ~(size_t)15;
    lone->core_memory = aligned_alloc(16, lone->core_size);
    lone->saved_memory = malloc(lone->core_size);
    lone_must(lone->core_memory != NULL && lone->saved_memory != NULL && lone->step.arena != NULL);
    memset(lone->core_memory, 0, lone->core_size);
    lone->core = core_new(lone->core_memory, config);
    struct event event = lone_event(lone, EVENT_START);
    lone_give(lone, &event);
    return lone;
}

static LONE_UNUSED struct lone *lone_new(void)
{
    return lone_new_holding(0);
}

/* Each of its clinicians has a certificate that this core knows; its links 2 and 3 are up. */
static LONE_UNUSED void lone_introduce(struct lone *lone)
{
    static uint8_t made[CERTIFICATE_SIZE_MAX], body[8192], memory[FRAME_SIZE_MAX];
    struct scope scope = scope_federation();
    for (uint32_t who = LONE_HOSPITALS; who >= LONE_SELF; who--) {
        struct buffer content = buffer_over(made, sizeof made);
        struct buffer out = buffer_over(body, sizeof body);
        struct statement statement = {.kind = KIND_CERTIFICATE};
        if (who != LONE_SELF)
            lone_meet(lone, who);
        lone_certificate(lone, who, &content);
        statement.content = buffer_bytes(&content);
        lone_statement(lone, who, &scope, &statement, &out);
        if (who == LONE_SELF) {
            lone_post(lone, &scope, AUDIENCE_CLEAR, buffer_bytes(&out));
            lone_must(lone->done_verdict == OK);
            break;
        }
        struct record_header header = lone_header(lone, who, &scope);
        struct buffer frame = buffer_over(memory, sizeof memory);
        frame_records_begin(&frame);
        lone_must(lone_record(lone, who, &header, buffer_bytes(&out), &frame));
        frame_records_end(&frame, 1);
        lone_hear(lone, who, buffer_bytes(&frame));
        lone_must(core_clinician(lone->core, &lone->hospitals[who].cert_id) != NULL);
    }
}

/* Hospital 1 writes a content of its own. */
static LONE_UNUSED void lone_say(struct lone *lone, const struct scope *scope, uint16_t kind,
                                 const void *value)
{
    static uint8_t memory[8192], body[16384];
    struct buffer content = buffer_over(memory, sizeof memory);
    struct buffer out = buffer_over(body, sizeof body);
    struct statement statement = {.kind = kind};
    lone_must(content_write(vocabulary_table(kind), value, &content) == OK);
    statement.content = buffer_bytes(&content);
    lone_statement(lone, LONE_SELF, scope, &statement, &out);
    lone_post(lone, scope, AUDIENCE_SCOPE, buffer_bytes(&out));
    lone_must(!out.failed && lone->done_verdict == OK);
}

/* Hospital 1 announces a case, and grants both others access to it. */
static LONE_UNUSED struct scope lone_ask(struct lone *lone)
{
    uint8_t memory[4096];
    struct buffer content = buffer_over(memory, sizeof memory);
    struct caserecord_open open = {.opening = {{0x40}}, .requester = lone->config.self};
    struct announcement announcement = {
        .case_id = caserecord_case_id(&lone->config.federation, &open.requester, &open.opening),
        .specialty = bytes_of_text("hematology"),
        .service = ANNOUNCEMENT_CLINICAL_CONSULT,
        .reason = ANNOUNCEMENT_SERIOUS,
        .question = bytes_of_text("What now?"),
        .wanted_count = 2,
        .deadline = {FEDERATION_START_MS * 2},
        .language = bytes_of_text("en"),
        .mode = ANNOUNCEMENT_INDEPENDENT_FIRST};
    struct scope board = scope_board(&lone->config.federation, announcement.specialty);
    struct scope scope = scope_case(&announcement.case_id);
    lone_must(announcement_write(&announcement, &content) == OK);
    open.announcement = buffer_bytes(&content);
    lone_say(lone, &scope, KIND_OPEN, &open);
    lone_say(lone, &board, KIND_ANNOUNCEMENT, &announcement);
    for (uint32_t who = 2; who <= LONE_HOSPITALS; who++) {
        struct caserecord_grant grant = {.participant = lone->hospitals[who].node};
        lone_say(lone, &scope, KIND_GRANT, &grant);
    }
    return scope;
}

static LONE_UNUSED void lone_save(struct lone *lone)
{
    memcpy(lone->saved_memory, lone->core_memory, lone->core_size);
    lone->saved_count = lone->kept_count;
    lone->saved_ms = lone->now_ms;
    lone->saved_sealed = lone->sealed;
}

/* As it was at lone_save; records that were filled or destroyed since stay so. */
static LONE_UNUSED void lone_restore(struct lone *lone)
{
    memcpy(lone->core_memory, lone->saved_memory, lone->core_size);
    while (lone->kept_count > lone->saved_count) {
        struct lone_record *record = &lone->kept[--lone->kept_count];
        free(record->bytes);
        *record = (struct lone_record){.size = 0};
    }
    lone->now_ms = lone->saved_ms;
    lone->sealed = lone->saved_sealed;
    lone->has_no_room = false;
    lone->counts = (struct lone_counts){.sent = 0};
}

static LONE_UNUSED void lone_free(struct lone *lone)
{
    lone->saved_count = 0;
    lone_restore(lone);
    free(lone->core_memory);
    free(lone->saved_memory);
    free(lone->step.arena);
    federation_end(&lone->federation);
    free(lone);
}

#endif
