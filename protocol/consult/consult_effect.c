#include "protocol/consult/consult_effect.h"

#include <string.h>

#include "protocol/consult/consult_table.h"
#include "protocol/contents/announcement.h"
#include "protocol/contents/case_file.h"
#include "protocol/contents/case_record.h"
#include "protocol/contents/content_registry.h"

struct consult_participant *consult_effect_participant(struct consult *consult,
                                                       const struct node_id *node)
{
    for (size_t i = 0; i < consult->participant_count; i++)
        if (ID_EQUAL(consult->participants[i].node, *node))
            return &consult->participants[i];
    return NULL;
}

static struct consult_taken *find_taken(struct consult *consult, const struct record_id *id)
{
    for (size_t i = 0; i < consult->taken_count; i++)
        if (ID_EQUAL(consult->taken[i].record_id, *id))
            return &consult->taken[i];
    return NULL;
}

/* C-30: the opening and the writer give the case_id, in the stream's first record. */
static bool proves_case(const struct consult *consult, const struct node_id *requester,
                        const struct case_record_opening *opening)
{
    return case_record_proves(&consult->federation, requester, opening, &consult->case_id);
}

enum consult_verdict consult_effect_open(struct consult *consult,
                                         const struct consult_record *record)
{
    struct case_record_open open;
    struct announcement announcement;
    if (case_record_open_read(record->statement->content, &open) != OK ||
        announcement_read(open.announcement, &announcement) != OK || record->sequence != 1 ||
        !ID_EQUAL(open.requester, record->writer) ||
        !ID_EQUAL(announcement.case_id, consult->case_id) ||
        !proves_case(consult, &record->writer, &open.opening))
        return CONSULT_MALFORMED;
    consult->requester = record->writer;
    consult->cursor = (struct consult_cursor){record->generation, record->sequence};
    consult->opening = open.opening;
    memcpy(consult->specialty, announcement.specialty.data, announcement.specialty.size);
    consult->specialty_size = announcement.specialty.size;
    consult->mode = announcement.mode;
    consult->wanted_count = announcement.wanted_count;
    consult->opened_at = record->time;
    memcpy(consult->directed, open.directed, sizeof consult->directed);
    consult->directed_count = open.directed_count;
    consult->deadline = announcement.deadline;
    consult->open = record->id;
    return CONSULT_COUNTS;
}

static enum consult_verdict apply_manifest(struct consult *consult,
                                           const struct consult_record *record)
{
    struct case_file case_file;
    if (case_file_read(record->statement->content, &case_file) != OK)
        return CONSULT_MALFORMED;
    consult->manifest_root = case_file_root(&case_file);
    consult->manifest = record->id;
    return CONSULT_COUNTS;
}

static enum consult_verdict apply_grant(struct consult *consult,
                                        const struct consult_record *record)
{
    struct case_record_grant grant;
    if (case_record_grant_read(record->statement->content, &grant) != OK ||
        ID_EQUAL(grant.participant, consult->requester))
        return CONSULT_MALFORMED;
    struct consult_participant *participant =
        consult_effect_participant(consult, &grant.participant);
    if (participant != NULL && !participant->is_ended)
        return CONSULT_GRANTED_ALREADY;
    if (participant == NULL) {
        if (consult->participant_count == PARTICIPANT_COUNT_MAX)
            return CONSULT_FULL;
        participant = &consult->participants[consult->participant_count++];
        *participant = (struct consult_participant){.node = grant.participant};
    }
    participant->is_ended = false;
    participant->end_generation = 0;
    participant->end_sequence = 0;
    participant->join = grant.join;
    participant->clinician = grant.clinician;
    return CONSULT_COUNTS;
}

/* C-66: releases from before `since` do not count. */
static void void_releases(struct consult_participant *participant, uint64_t since_ms)
{
    size_t kept = 0;
    for (size_t i = 0; i < participant->released_count; i++)
        if (participant->released[i].time.ms >= since_ms)
            participant->released[kept++] = participant->released[i];
    for (size_t i = kept; i < participant->released_count; i++)
        participant->released[i] = (struct consult_released){0};
    participant->released_count = kept;
}

static enum consult_verdict apply_grant_end(struct consult *consult,
                                            const struct consult_record *record)
{
    struct case_record_grant_end end;
    if (case_record_grant_end_read(record->statement->content, &end) != OK)
        return CONSULT_MALFORMED;
    struct consult_participant *participant = consult_effect_participant(consult, &end.participant);
    if (participant == NULL)
        return CONSULT_NOT_GRANTED;
    if (participant->is_ended)
        return CONSULT_GRANT_ENDED;
    participant->is_ended = true;
    participant->end_generation = end.generation;
    participant->end_sequence = end.sequence;
    void_releases(participant, UINT64_MAX); /* those within the end are applied again */
    return CONSULT_COUNTS;
}

/* C-32: an entry is judged as its record would be: by state, kind and author. */
static enum consult_verdict take_in_one(struct consult *consult,
                                        const struct case_record_taken *entry)
{
    struct consult_participant *author = consult_effect_participant(consult, &entry->author);
    uint16_t kind = (uint16_t)entry->kind;
    struct consult_cell cell = consult_table_cell(consult->state, CONSULT_PARTICIPANT, kind);
    if (author == NULL)
        return CONSULT_NOT_GRANTED;
    if (find_taken(consult, &entry->record_id) != NULL)
        return CONSULT_SEEN;
    if (cell.verdict != CONSULT_AWAITS)
        return cell.verdict == CONSULT_COUNTS ? CONSULT_NO_MEANING : cell.verdict;
    if (consult->taken_count == TAKEN_IN_COUNT_MAX)
        return CONSULT_FULL;
    consult->taken[consult->taken_count++] =
        (struct consult_taken){.record_id = entry->record_id,
                               .kind = kind,
                               .author = (uint8_t)(author - consult->participants),
                               .is_revealed = false};
    if (kind == KIND_OPINION)
        author->has_opinion = true;
    author->has_declined = (author->has_declined || kind == KIND_DECLINE) && !author->has_opinion;
    return CONSULT_COUNTS;
}

static enum consult_verdict apply_take_in(struct consult *consult,
                                          const struct consult_record *record)
{
    struct case_record_take_in take_in;
    enum consult_verdict verdict = CONSULT_MALFORMED;
    bool has_one = false;
    if (case_record_take_in_read(record->statement->content, &take_in) != OK)
        return CONSULT_MALFORMED;
    for (size_t i = 0; i < take_in.taken_count; i++) {
        verdict = take_in_one(consult, &take_in.taken[i]);
        has_one = has_one || verdict == CONSULT_COUNTS;
    }
    return has_one ? CONSULT_COUNTS : verdict;
}

static enum consult_verdict apply_reveal(struct consult *consult,
                                         const struct consult_record *record)
{
    struct case_record_reveal reveal;
    bool has_one = false;
    if (case_record_reveal_read(record->statement->content, &reveal) != OK)
        return CONSULT_MALFORMED;
    for (size_t i = 0; i < reveal.record_count; i++) {
        struct consult_taken *taken = find_taken(consult, &reveal.records[i]);
        if (taken == NULL)
            continue;
        taken->is_revealed = true;
        has_one = true;
    }
    return has_one ? CONSULT_COUNTS : CONSULT_UNKNOWN_RECORD;
}

bool consult_effect_has_reveal(const struct consult *consult)
{
    for (size_t i = 0; i < consult->taken_count; i++)
        if (consult->taken[i].is_revealed && consult->taken[i].kind == KIND_OPINION)
            return true;
    return false;
}

/* C-34: in a case of independent opinions, a synthesis before the first reveal would disclose
 * them. */
enum consult_verdict consult_effect_check_synthesis(const struct consult *consult)
{
    return consult->mode == ANNOUNCEMENT_INDEPENDENT_FIRST && !consult_effect_has_reveal(consult)
               ? CONSULT_NOT_REVEALED
               : CONSULT_COUNTS;
}

static enum consult_verdict apply_synthesis(struct consult *consult,
                                            const struct consult_record *record)
{
    struct case_record_synthesis synthesis;
    if (case_record_synthesis_read(record->statement->content, &synthesis) != OK)
        return CONSULT_MALFORMED;
    enum consult_verdict verdict = consult_effect_check_synthesis(consult);
    if (verdict == CONSULT_COUNTS)
        consult->synthesis = record->id;
    return verdict;
}

/* C-35: a deadline only moves forward, so no opinion is released by an earlier one. Releases from
 * before the new deadline no longer count. */
static enum consult_verdict apply_extend(struct consult *consult,
                                         const struct consult_record *record)
{
    struct case_record_extend extend;
    if (case_record_extend_read(record->statement->content, &extend) != OK)
        return CONSULT_MALFORMED;
    if (extend.deadline.ms <= consult->deadline.ms)
        return CONSULT_TOO_EARLY;
    consult->deadline = extend.deadline;
    if (extend.wanted_count > 0)
        consult->wanted_count = extend.wanted_count;
    for (size_t i = 0; i < consult->participant_count; i++)
        void_releases(&consult->participants[i], extend.deadline.ms);
    return CONSULT_COUNTS;
}

static enum consult_verdict apply_outcome(struct consult *consult,
                                          const struct consult_record *record)
{
    struct case_record_outcome outcome;
    if (case_record_outcome_read(record->statement->content, &outcome) != OK)
        return CONSULT_MALFORMED;
    consult->outcome = record->id;
    if (outcome.day > consult->outcome_day)
        consult->outcome_day = outcome.day;
    return CONSULT_COUNTS;
}

/* Records that only have to be well formed. */
enum consult_verdict consult_effect_check_content(const struct consult_record *record)
{
    union content_registry_value value;
    return content_registry_read(record->statement->kind, record->statement->content, &value) == OK
               ? CONSULT_COUNTS
               : CONSULT_MALFORMED;
}

enum consult_verdict consult_effect_apply(struct consult *consult,
                                          const struct consult_record *record)
{
    enum consult_verdict verdict;
    switch (record->statement->kind) {
    case KIND_MANIFEST:
        return apply_manifest(consult, record);
    case KIND_GRANT:
        return apply_grant(consult, record);
    case KIND_GRANT_END:
        return apply_grant_end(consult, record);
    case KIND_TAKE_IN:
        return apply_take_in(consult, record);
    case KIND_REVEAL:
        return apply_reveal(consult, record);
    case KIND_SYNTHESIS:
        return apply_synthesis(consult, record);
    case KIND_EXTEND:
        return apply_extend(consult, record);
    case KIND_OUTCOME:
        return apply_outcome(consult, record);
    default: /* a raw number from a remote party, not the enum */
        break;
    }
    verdict = consult_effect_check_content(record);
    if (verdict == CONSULT_COUNTS && record->statement->kind == KIND_CLOSE) {
        consult->close = record->id;
        consult->closed_at = record->time;
    }
    if (verdict == CONSULT_COUNTS && record->statement->kind == KIND_WITHDRAW) {
        consult->withdraw = record->id;
        for (size_t i = 0; i < consult->participant_count; i++)
            void_releases(&consult->participants[i], UINT64_MAX);
    }
    return verdict;
}

/* C-50: an ERASE proves itself, in any state and at any position. */
enum consult_verdict consult_effect_erase(struct consult *consult,
                                          const struct consult_record *record)
{
    struct case_record_erase erase;
    if (consult->state == CASE_ERASED)
        return ID_EQUAL(consult->erase, record->id) ? CONSULT_SEEN : CONSULT_ERASED;
    if (case_record_erase_read(record->statement->content, &erase) != OK ||
        !proves_case(consult, &erase.requester, &erase.opening))
        return CONSULT_MALFORMED;
    bool is_successor =
        !ID_IS_ZERO(consult->successor) && ID_EQUAL(consult->successor, record->writer);
    if (!ID_EQUAL(erase.requester, record->writer) && !is_successor)
        return CONSULT_WRONG_WRITER;
    consult->requester = erase.requester;
    consult->opening = erase.opening;
    consult->erase = record->id;
    consult->state = CASE_ERASED;
    return CONSULT_COUNTS;
}
