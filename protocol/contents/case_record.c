#include "protocol/contents/case_record.h"

#include <string.h>

#include "protocol/base/hash.h"

CONTENT_CODES(case_record_initiatives, CASE_RECORD_INITIATIVE_LIST);
CONTENT_CODES(case_record_wanteds, CASE_RECORD_WANTED_LIST);
CONTENT_CODES(case_record_answers, CASE_RECORD_ANSWER_LIST);
CONTENT_CODES(case_record_decline_reasons, CASE_RECORD_DECLINE_LIST);
CONTENT_CODES(case_record_followeds, CASE_RECORD_FOLLOWED_LIST);
CONTENT_CODES(case_record_results, CASE_RECORD_RESULT_LIST);
CONTENT_CODES(case_record_flag_reasons, CASE_RECORD_FLAG_LIST);

static const struct content_field case_record_node_element = CONTENT_ELEMENT_FIXED(NODE_ID_SIZE);
static const struct content_field case_record_id_element = CONTENT_ELEMENT_FIXED(HASH_SIZE);

struct case_id case_record_case_id(const struct federation_id *federation,
                                   const struct node_id *requester,
                                   const struct case_record_opening *opening)
{
    struct bytes parts[] = {ID_BYTES(*federation), ID_BYTES(*requester), ID_BYTES(*opening)};
    struct hash hash = hash_parts(CONTEXT_CASE_ID, parts, 3);
    struct case_id case_id;
    memcpy(case_id.bytes, hash.bytes, HASH_SIZE);
    return case_id;
}

bool case_record_proves(const struct federation_id *federation, const struct node_id *requester,
                        const struct case_record_opening *opening, const struct case_id *case_id)
{
    struct case_id made = case_record_case_id(federation, requester, opening);
    return ID_EQUAL(made, *case_id);
}

/* Defines the table and codec of caserecord_<noun> from the fields in <noun>_fields. */
#define RECORD(noun, check)                                                                        \
    CONTENT_TABLE(case_record_##noun##_table, #noun, struct case_record_##noun,                    \
                  case_record_##noun##_fields, check);                                             \
    CONTENT_CODEC(case_record_##noun, struct case_record_##noun)

/* ---- opening and access ---- */

#define FIELD(kind, ...) CONTENT_A_##kind(struct case_record_open, __VA_ARGS__)
static const struct content_field case_record_open_fields[] = {
    FIELD(FIXED, 1, opening, CONTENT_NEEDED),
    FIELD(FIXED, 2, requester, CONTENT_NEEDED),
    FIELD(BIN, 3, announcement, CONTENT_NEEDED, STATEMENT_PADDED_SIZE_MAX),
    FIELD(TEXT, 4, consent, CONTENT_OPTIONAL, NOTE_SIZE_MAX),
    FIELD(CODE, 5, initiative, CONTENT_OPTIONAL, case_record_initiatives),
    FIELD(LIST, 6, directed, directed_count, CONTENT_OPTIONAL, &case_record_node_element),
};
#undef FIELD
RECORD(open, NULL)

#define FIELD(kind, ...) CONTENT_A_##kind(struct case_record_grant, __VA_ARGS__)
static const struct content_field case_record_grant_fields[] = {
    FIELD(FIXED, 1, participant, CONTENT_NEEDED),
    FIELD(FIXED, 2, join, CONTENT_OPTIONAL),
    FIELD(FIXED, 3, clinician, CONTENT_OPTIONAL),
};
#undef FIELD
RECORD(grant, NULL)

#define FIELD(kind, ...) CONTENT_A_##kind(struct case_record_grant_end, __VA_ARGS__)
static const struct content_field case_record_grant_end_fields[] = {
    FIELD(FIXED, 1, participant, CONTENT_NEEDED),
    FIELD(TEXT, 2, note, CONTENT_OPTIONAL, NOTE_SIZE_MAX),
    FIELD(UINT, 3, generation, CONTENT_OPTIONAL, UINT32_MAX),
    FIELD(UINT, 4, sequence, CONTENT_OPTIONAL, UINT64_MAX),
    FIELD(FIXED, 5, record_id, CONTENT_OPTIONAL),
};
#undef FIELD

static err case_record_grant_end_check(const void *value)
{
    const struct case_record_grant_end *end = value;
    bool has_position = end->sequence > 0;
    return has_position == (end->generation > 0) && has_position == !ID_IS_ZERO(end->record_id)
               ? OK
               : ERR_MALFORMED;
}
RECORD(grant_end, case_record_grant_end_check)

/* ---- talking ---- */

#define FIELD(kind, ...) CONTENT_A_##kind(struct case_record_post, __VA_ARGS__)
static const struct content_field case_record_post_fields[] = {
    FIELD(TEXT, 1, text, CONTENT_NEEDED, POST_SIZE_MAX),
    FIELD(LANGUAGE, 2, language, CONTENT_OPTIONAL),
    FIELD(FIXED, 3, answers, CONTENT_OPTIONAL),
};
#undef FIELD
RECORD(post, NULL)

#define FIELD(kind, ...) CONTENT_A_##kind(struct case_record_ask_item, __VA_ARGS__)
static const struct content_field case_record_ask_item_fields[] = {
    FIELD(CODE, 1, wanted, CONTENT_NEEDED, case_record_wanteds),
    FIELD(LINE, 2, text, CONTENT_NEEDED, ASK_SIZE_MAX),
};
#undef FIELD
static CONTENT_TABLE(case_record_ask_item_table, "ask item", struct case_record_ask_item,
                     case_record_ask_item_fields, NULL);
static const struct content_field case_record_ask_item_element =
    CONTENT_ELEMENT_MAP(&case_record_ask_item_table);

#define FIELD(kind, ...) CONTENT_A_##kind(struct case_record_ask, __VA_ARGS__)
static const struct content_field case_record_ask_fields[] = {
    FIELD(LIST, 1, items, item_count, CONTENT_NEEDED, &case_record_ask_item_element),
    FIELD(TEXT, 2, note, CONTENT_OPTIONAL, NOTE_SIZE_MAX),
};
#undef FIELD
RECORD(ask, NULL)

#define FIELD(kind, ...) CONTENT_A_##kind(struct case_record_supply_answer, __VA_ARGS__)
static const struct content_field case_record_supply_answer_fields[] = {
    FIELD(UINT, 1, index, CONTENT_NEEDED, ASK_COUNT_MAX - 1),
    FIELD(CODE, 2, answer, CONTENT_NEEDED, case_record_answers),
    FIELD(LINE, 3, note, CONTENT_OPTIONAL, ASK_SIZE_MAX),
};
#undef FIELD
static CONTENT_TABLE(case_record_supply_answer_table, "supply answer",
                     struct case_record_supply_answer, case_record_supply_answer_fields, NULL);
static const struct content_field case_record_supply_answer_element =
    CONTENT_ELEMENT_MAP(&case_record_supply_answer_table);

#define FIELD(kind, ...) CONTENT_A_##kind(struct case_record_supply, __VA_ARGS__)
static const struct content_field case_record_supply_fields[] = {
    FIELD(FIXED, 1, ask, CONTENT_OPTIONAL),
    FIELD(LIST, 2, answers, answer_count, CONTENT_OPTIONAL, &case_record_supply_answer_element),
    FIELD(LIST, 3, items, item_count, CONTENT_OPTIONAL, &case_record_id_element),
    FIELD(TEXT, 4, note, CONTENT_OPTIONAL, NOTE_SIZE_MAX),
};
#undef FIELD

static err case_record_supply_check(const void *value)
{
    const struct case_record_supply *supply = value;
    if (supply->answer_count == 0 && supply->item_count == 0 && supply->note.size == 0)
        return ERR_MALFORMED;
    return supply->answer_count > 0 && ID_IS_ZERO(supply->ask) ? ERR_MALFORMED : OK;
}
RECORD(supply, case_record_supply_check)

#define FIELD(kind, ...) CONTENT_A_##kind(struct case_record_decline, __VA_ARGS__)
static const struct content_field case_record_decline_fields[] = {
    FIELD(CODE, 1, reason, CONTENT_NEEDED, case_record_decline_reasons),
    FIELD(TEXT, 2, text, CONTENT_OPTIONAL, NOTE_SIZE_MAX),
};
#undef FIELD
RECORD(decline, NULL)

/* ---- what the requester takes in, reveals, decides ---- */

#define FIELD(kind, ...) CONTENT_A_##kind(struct case_record_taken, __VA_ARGS__)
static const struct content_field case_record_taken_fields[] = {
    FIELD(FIXED, 1, author, CONTENT_NEEDED),
    FIELD(FIXED, 2, record_id, CONTENT_NEEDED),
    FIELD(UINT, 3, kind, CONTENT_NEEDED, UINT16_MAX),
};
#undef FIELD
static CONTENT_TABLE(case_record_taken_table, "taken record", struct case_record_taken,
                     case_record_taken_fields, NULL);
static const struct content_field case_record_taken_element =
    CONTENT_ELEMENT_MAP(&case_record_taken_table);

#define FIELD(kind, ...) CONTENT_A_##kind(struct case_record_take_in, __VA_ARGS__)
static const struct content_field case_record_take_in_fields[] = {
    FIELD(LIST, 1, taken, taken_count, CONTENT_NEEDED, &case_record_taken_element),
};
#undef FIELD
RECORD(take_in, NULL)

#define FIELD(kind, ...) CONTENT_A_##kind(struct case_record_reveal, __VA_ARGS__)
static const struct content_field case_record_reveal_fields[] = {
    FIELD(LIST, 1, records, record_count, CONTENT_NEEDED, &case_record_id_element),
};
#undef FIELD
RECORD(reveal, NULL)

#define FIELD(kind, ...) CONTENT_A_##kind(struct case_record_release, __VA_ARGS__)
static const struct content_field case_record_release_fields[] = {
    FIELD(FIXED, 1, record_id, CONTENT_NEEDED),
};
#undef FIELD
RECORD(release, NULL)

#define FIELD(kind, ...) CONTENT_A_##kind(struct case_record_synthesis, __VA_ARGS__)
static const struct content_field case_record_synthesis_fields[] = {
    FIELD(TEXT, 1, text, CONTENT_NEEDED, OPINION_TEXT_SIZE_MAX),
    FIELD(LANGUAGE, 2, language, CONTENT_OPTIONAL),
    FIELD(LIST, 3, records, record_count, CONTENT_OPTIONAL, &case_record_id_element),
};
#undef FIELD
RECORD(synthesis, NULL)

#define FIELD(kind, ...) CONTENT_A_##kind(struct case_record_close, __VA_ARGS__)
static const struct content_field case_record_close_fields[] = {
    FIELD(TEXT, 1, note, CONTENT_OPTIONAL, NOTE_SIZE_MAX),
};
#undef FIELD
RECORD(close, NULL)

#define FIELD(kind, ...) CONTENT_A_##kind(struct case_record_withdraw, __VA_ARGS__)
static const struct content_field case_record_withdraw_fields[] = {
    FIELD(TEXT, 1, note, CONTENT_OPTIONAL, NOTE_SIZE_MAX),
};
#undef FIELD
RECORD(withdraw, NULL)

#define FIELD(kind, ...) CONTENT_A_##kind(struct case_record_extend, __VA_ARGS__)
static const struct content_field case_record_extend_fields[] = {
    FIELD(TIME, 1, deadline, CONTENT_NEEDED),
    FIELD(UINT, 2, wanted_count, CONTENT_OPTIONAL, PARTICIPANT_COUNT_MAX),
};
#undef FIELD
RECORD(extend, NULL)

#define FIELD(kind, ...) CONTENT_A_##kind(struct case_record_outcome, __VA_ARGS__)
static const struct content_field case_record_outcome_fields[] = {
    FIELD(UINT, 1, day, CONTENT_NEEDED, OUTCOME_DAY_MAX),
    FIELD(CODE, 2, followed, CONTENT_NEEDED, case_record_followeds),
    FIELD(CODE, 3, result, CONTENT_NEEDED, case_record_results),
    FIELD(TEXT, 4, final_diagnosis, CONTENT_OPTIONAL, FINDING_SIZE_MAX),
    FIELD(TEXT, 5, text, CONTENT_OPTIONAL, POST_SIZE_MAX),
    FIELD(LIST, 6, opinions, opinion_count, CONTENT_OPTIONAL, &case_record_id_element),
};
#undef FIELD

static err case_record_outcome_check(const void *value)
{
    const struct case_record_outcome *outcome = value;
    return outcome->day > 0 ? OK : ERR_MALFORMED;
}
RECORD(outcome, case_record_outcome_check)

/* ---- receipts and warnings ---- */

#define FIELD(kind, ...) CONTENT_A_##kind(struct case_record_opened, __VA_ARGS__)
static const struct content_field case_record_opened_fields[] = {
    FIELD(FIXED, 1, manifest_root, CONTENT_OPTIONAL),
    FIELD(LIST, 2, items, item_count, CONTENT_OPTIONAL, &case_record_id_element),
    FIELD(LIST, 3, records, record_count, CONTENT_OPTIONAL, &case_record_id_element),
};
#undef FIELD

/* C-16: opened items are named once, in ascending order. The description alone may be opened: then
 * the root comes without items. */
static err case_record_opened_check(const void *value)
{
    const struct case_record_opened *opened = value;
    if (opened->item_count > ITEM_COUNT_MAX)
        return ERR_TOO_LARGE;
    if (ID_IS_ZERO(opened->manifest_root) && (opened->item_count > 0 || opened->record_count == 0))
        return ERR_MALFORMED;
    for (size_t i = 1; i < opened->item_count; i++)
        if (memcmp(opened->items[i - 1].bytes, opened->items[i].bytes, HASH_SIZE) >= 0)
            return ERR_NOT_CANONICAL;
    return OK;
}
RECORD(opened, case_record_opened_check)

#define FIELD(kind, ...) CONTENT_A_##kind(struct case_record_flag, __VA_ARGS__)
static const struct content_field case_record_flag_fields[] = {
    FIELD(FIXED, 1, record_id, CONTENT_NEEDED),
    FIELD(CODE, 2, reason, CONTENT_NEEDED, case_record_flag_reasons),
    FIELD(TEXT, 3, text, CONTENT_OPTIONAL, NOTE_SIZE_MAX),
};
#undef FIELD
RECORD(flag, NULL)

#define FIELD(kind, ...) CONTENT_A_##kind(struct case_record_erase, __VA_ARGS__)
static const struct content_field case_record_erase_fields[] = {
    FIELD(FIXED, 1, opening, CONTENT_NEEDED),
    FIELD(FIXED, 2, requester, CONTENT_NEEDED),
};
#undef FIELD
RECORD(erase, NULL)

#define FIELD(kind, ...) CONTENT_A_##kind(struct case_record_erased, __VA_ARGS__)
static const struct content_field case_record_erased_fields[] = {
    FIELD(FIXED, 1, erase, CONTENT_NEEDED),
    FIELD(UINT, 2, record_count, CONTENT_NEEDED, UINT32_MAX),
    FIELD(UINT, 3, item_count, CONTENT_NEEDED, UINT32_MAX),
    FIELD(UINT, 4, chunk_count, CONTENT_NEEDED, UINT32_MAX),
    FIELD(UINT, 5, index_count, CONTENT_NEEDED, UINT32_MAX),
    FIELD(TIME, 6, backups_until, CONTENT_NEEDED),
    FIELD(UINT, 7, caveats, CONTENT_NEEDED, CASE_RECORD_CAVEATS_ALL),
};
#undef FIELD
RECORD(erased, NULL)
