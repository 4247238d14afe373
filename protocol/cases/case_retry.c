#include "protocol/cases/case_retry.h"

#include "protocol/base/planted.h"
#include "protocol/replication/sync.h"
#include "protocol/state/engine_state.h"

bool case_retry_is_for_later(err failure)
{
    return failure == ERR_BUSY || failure == ERR_FULL || failure == ERR_FUTURE ||
           failure == ERR_EXPIRED;
}

/* A stream that is being written is free again soon; disks, clocks and rosters take longer. */
void case_retry_delay(struct engine *engine, err failure)
{
    uint64_t ms = failure == ERR_BUSY ? CASE_RETRY_MS : CASE_RETRY_LATE_MS;
    engine->case_retry->review_after.ms = engine->now.ms + ms;
}

/* ---- records to be looked at again ---- */

/* May we read by now what was sealed for us? True when we may from now on. */
static bool case_retry_unseal(struct engine *engine, struct missing *missing)
{
    struct wall *opens_at = &engine->case_retry->opens_at;
    struct record_claim claim = {.id = missing->record};
    claim.header.stream = engine->streams.all[missing->stream].id;
    claim.header.sequence = missing->sequence;
    claim.header.audience = AUDIENCE_REQUESTER;
    err failure = case_table_may_read(engine, &engine->config.self, &claim);
    missing->is_sealed = failure != OK; /* of a case at rest nothing was revealed meanwhile */
    struct wall from = case_table_opens_at(engine, &claim);
    if (failure != OK && from.ms != 0 && (opens_at->ms == 0 || from.ms < opens_at->ms))
        *opens_at = from;
    return failure == OK;
}

/* A sealed record of the case, or of any (NULL). */
static bool case_retry_is_sealed(const struct engine *engine, const struct missing *missing,
                                 const struct case_id *case_id)
{
    struct scope scope = case_id == NULL ? (struct scope){0} : scope_case(case_id);
    return missing->stream != STREAM_NONE && missing->is_sealed &&
           (case_id == NULL || scope_equal(&engine->streams.all[missing->stream].id.scope, &scope));
}

void case_retry_readers(struct engine *engine, const struct case_id *case_id)
{
    if (!engine->is_started)
        return; /* the start does it once, for all */
    for (uint32_t i = 0; i < engine->streams.missing_count; i++) {
        struct missing *missing = &engine->streams.missing[i];
        if (case_retry_is_sealed(engine, missing, case_id))
            (void)case_retry_unseal(engine, missing);
    }
    struct scope scope = case_id == NULL ? (struct scope){0} : scope_case(case_id);
    sync_retry(engine, case_id == NULL || PLANTED(GRANT_ASKS_FOR_ALL) ? NULL : &scope);
}

void case_retry_open(struct engine *engine, const struct case_id *case_id)
{
    if (!engine->is_started)
        return;
    if (case_id == NULL)
        engine->case_retry->opens_at.ms = 0; /* those that are still to come say when */
    for (uint32_t i = 0; i < engine->streams.missing_count; i++) {
        struct missing *missing = &engine->streams.missing[i];
        if (case_retry_is_sealed(engine, missing, case_id) && case_retry_unseal(engine, missing))
            sync_retry(engine, &engine->streams.all[missing->stream].id.scope);
    }
}

void case_retry_miss(struct engine *engine, const struct record_claim *claim)
{
    struct case_id case_id = scope_case_id(&claim->header.stream.scope);
    struct case_table_entry *entry = case_table_entry(engine, &case_id);
    if (entry != NULL)
        entry->has_missed = true;
}

void case_retry_review(struct engine *engine, const struct record_claim *claim, uint16_t kind)
{
    struct case_retry *retry = engine->case_retry;
    if (retry->review_count == CASE_RETRY_REVIEW_COUNT) {
        case_retry_miss(engine, claim);
        return;
    }
    uint32_t place = (retry->review_first + retry->review_count++) % CASE_RETRY_REVIEW_COUNT;
    retry->reviews[place] =
        (struct case_retry_review){claim->header.stream, claim->header.sequence, claim->id, kind};
}

bool case_retry_reviews(const struct engine *engine, const struct case_id *case_id)
{
    const struct case_retry *retry = engine->case_retry;
    struct scope scope = scope_case(case_id);
    for (uint32_t i = 0; i < retry->review_count; i++) {
        uint32_t place = (retry->review_first + i) % CASE_RETRY_REVIEW_COUNT;
        if (scope_equal(&retry->reviews[place].stream.scope, &scope))
            return true;
    }
    return false;
}

/* ---- what waits for a certificate ---- */

/* Certificates come by another stream, perhaps later. */
void case_retry_wait(struct engine *engine, const struct record_claim *claim, uint16_t kind)
{
    struct case_retry *retry = engine->case_retry;
    uint32_t of_writer = 0;
    for (uint32_t i = 0; i < retry->waiting_count; i++) {
        if (ID_EQUAL(retry->waiting[i].record, claim->id))
            return;
        of_writer += ID_EQUAL(retry->waiting[i].stream.writer, claim->header.stream.writer) ? 1 : 0;
    }
    if (retry->waiting_count == CASE_RETRY_WAITING_COUNT || of_writer == CASE_RETRY_WAITING_EACH) {
        case_retry_miss(engine, claim);
        return;
    }
    retry->waiting[retry->waiting_count++] =
        (struct case_retry_review){claim->header.stream, claim->header.sequence, claim->id, kind};
}

bool case_retry_waits(const struct engine *engine, const struct case_id *case_id)
{
    const struct case_retry *retry = engine->case_retry;
    struct scope scope = scope_case(case_id);
    for (uint32_t i = 0; i < retry->waiting_count; i++) {
        if (scope_equal(&retry->waiting[i].stream.scope, &scope))
            return true;
    }
    return false;
}

void case_retry_certified(struct engine *engine, const struct node_id *node)
{
    struct case_retry *retry = engine->case_retry;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < retry->waiting_count; i++) {
        const struct case_retry_review *waiting = &retry->waiting[i];
        if (!ID_EQUAL(waiting->stream.writer, *node)) {
            retry->waiting[kept++] = *waiting;
            continue;
        }
        struct record_claim claim = {.id = waiting->record};
        claim.header.stream = waiting->stream;
        claim.header.sequence = waiting->sequence;
        case_retry_review(engine, &claim, waiting->kind);
    }
    retry->waiting_count = kept;
}
