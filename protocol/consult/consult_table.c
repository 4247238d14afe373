#include "protocol/consult/consult_table.h"

#include <assert.h>

/* C-40: the state of a case changes by this table and by nothing else.
 *
 * GO names the next state, STAY keeps it, AWAIT is for records of other writers, which count once
 * taken in; all others say why the record does not count. Two rows have a condition beyond their
 * cell: a SYNTHESIS of independent opinions waits for a first REVEAL, and a REVEAL moves the state
 * only when it names an opinion. */

#define GO(state)                                                                                  \
    {                                                                                              \
        CONSULT_COUNTS, CASE_##state                                                               \
    }
#define STAY                                                                                       \
    {                                                                                              \
        CONSULT_COUNTS, CASE_STATE_COUNT                                                           \
    }
#define AWAIT                                                                                      \
    {                                                                                              \
        CONSULT_AWAITS, CASE_STATE_COUNT                                                           \
    }
#define NO(verdict)                                                                                \
    {                                                                                              \
        CONSULT_##verdict, CASE_STATE_COUNT                                                        \
    }

struct consult_row {
    enum kind kind;
    struct consult_cell cells[CASE_STATE_COUNT];
};

/* clang-format off */
/* draft, announced, revealed, synthesised, closed, followed up, withdrawn, erased */
static const struct consult_row consult_requester_rows[] = {
    {KIND_OPEN, {GO(ANNOUNCED), NO(OPEN_ALREADY), NO(OPEN_ALREADY), NO(OPEN_ALREADY),
                 NO(OPEN_ALREADY), NO(OPEN_ALREADY), NO(OPEN_ALREADY), NO(ERASED)}},
    {KIND_MANIFEST, {NO(NOT_OPEN), STAY, STAY, STAY,
                     NO(CLOSED), NO(CLOSED), NO(WITHDRAWN), NO(ERASED)}},
    {KIND_GRANT, {NO(NOT_OPEN), STAY, STAY, STAY,
                  NO(CLOSED), NO(CLOSED), NO(WITHDRAWN), NO(ERASED)}},
    {KIND_GRANT_END, {NO(NOT_OPEN), STAY, STAY, STAY,
                      STAY, STAY, STAY, NO(ERASED)}},
    {KIND_SUPPLY, {NO(NOT_OPEN), STAY, STAY, STAY,
                   NO(CLOSED), NO(CLOSED), NO(WITHDRAWN), NO(ERASED)}},
    {KIND_POST, {NO(NOT_OPEN), STAY, STAY, STAY,
                 STAY, STAY, NO(WITHDRAWN), NO(ERASED)}},
    {KIND_TAKE_IN, {NO(NOT_OPEN), STAY, STAY, STAY,
                    STAY, STAY, STAY, NO(ERASED)}},
    {KIND_REVEAL, {NO(NOT_OPEN), GO(REVEALED), STAY, STAY,
                   STAY, STAY, NO(WITHDRAWN), NO(ERASED)}},
    {KIND_SYNTHESIS, {NO(NOT_OPEN), GO(SYNTHESISED), GO(SYNTHESISED), STAY,
                      NO(CLOSED), NO(CLOSED), NO(WITHDRAWN), NO(ERASED)}},
    {KIND_CLOSE, {NO(NOT_OPEN), GO(CLOSED), GO(CLOSED), GO(CLOSED),
                  NO(CLOSED), NO(CLOSED), NO(WITHDRAWN), NO(ERASED)}},
    {KIND_EXTEND, {NO(NOT_OPEN), STAY, STAY, STAY,
                   NO(CLOSED), NO(CLOSED), NO(WITHDRAWN), NO(ERASED)}},
    {KIND_WITHDRAW, {NO(NOT_OPEN), GO(WITHDRAWN), GO(WITHDRAWN), GO(WITHDRAWN),
                     NO(CLOSED), NO(CLOSED), NO(WITHDRAWN), NO(ERASED)}},
    {KIND_OUTCOME, {NO(NOT_OPEN), NO(NOT_CLOSED), NO(NOT_CLOSED), NO(NOT_CLOSED),
                    GO(FOLLOWED_UP), STAY, NO(WITHDRAWN), NO(ERASED)}},
    {KIND_OPENED, {NO(NOT_OPEN), STAY, STAY, STAY,
                   STAY, STAY, STAY, NO(ERASED)}},
    {KIND_FLAG, {NO(NOT_OPEN), STAY, STAY, STAY,
                 STAY, STAY, STAY, NO(ERASED)}},
    {KIND_ERASE, {GO(ERASED), GO(ERASED), GO(ERASED), GO(ERASED),
                  GO(ERASED), GO(ERASED), GO(ERASED), NO(ERASED)}},
};

static const struct consult_row consult_participant_rows[] = {
    {KIND_OPINION, {NO(NOT_OPEN), AWAIT, AWAIT, AWAIT,
                    NO(CLOSED), NO(CLOSED), NO(WITHDRAWN), NO(ERASED)}},
    {KIND_POST, {NO(NOT_OPEN), AWAIT, AWAIT, AWAIT,
                 AWAIT, AWAIT, NO(WITHDRAWN), NO(ERASED)}},
    {KIND_ASK, {NO(NOT_OPEN), AWAIT, AWAIT, AWAIT,
                NO(CLOSED), NO(CLOSED), NO(WITHDRAWN), NO(ERASED)}},
    {KIND_DECLINE, {NO(NOT_OPEN), AWAIT, AWAIT, AWAIT,
                    NO(CLOSED), NO(CLOSED), NO(WITHDRAWN), NO(ERASED)}},
    {KIND_RELEASE, {NO(NOT_OPEN), STAY, STAY, STAY,
                    STAY, STAY, NO(WITHDRAWN), NO(ERASED)}},
    {KIND_OPENED, {NO(NOT_OPEN), AWAIT, AWAIT, AWAIT,
                   AWAIT, AWAIT, AWAIT, NO(ERASED)}},
    {KIND_FLAG, {NO(NOT_OPEN), AWAIT, AWAIT, AWAIT,
                 AWAIT, AWAIT, AWAIT, NO(ERASED)}},
    {KIND_ERASED, {NO(NOT_OPEN), NO(NOT_ERASED), NO(NOT_ERASED), NO(NOT_ERASED),
                   NO(NOT_ERASED), NO(NOT_ERASED), NO(NOT_ERASED), STAY}},
};
/* clang-format on */

static const struct consult_row *consult_row_of(const struct consult_row *rows, size_t count,
                                                uint16_t kind)
{
    for (size_t i = 0; i < count; i++)
        if (rows[i].kind == (enum kind)kind)
            return &rows[i];
    return NULL;
}

/* C-41: a successor may erase, reveal and close, and nothing else. */
static bool consult_is_for_successor(uint16_t kind)
{
    return kind == KIND_ERASE || kind == KIND_REVEAL || kind == KIND_CLOSE;
}

struct consult_cell consult_table_cell(enum case_state state, enum consult_role role, uint16_t kind)
{
    const struct consult_row *by_requester =
        consult_row_of(consult_requester_rows,
                       sizeof consult_requester_rows / sizeof consult_requester_rows[0], kind);
    const struct consult_row *by_participant =
        consult_row_of(consult_participant_rows,
                       sizeof consult_participant_rows / sizeof consult_participant_rows[0], kind);
    const struct consult_row *row = role == CONSULT_PARTICIPANT ? by_participant : by_requester;
    struct consult_cell cell = {CONSULT_WRONG_WRITER, state};
    assert(state < CASE_STATE_COUNT);
    if (by_requester == NULL && by_participant == NULL)
        cell.verdict = CONSULT_NO_MEANING;
    if (row == NULL || (role == CONSULT_SUCCESSOR && !consult_is_for_successor(kind)))
        return cell;
    cell.verdict = row->cells[state].verdict;
    if (row->cells[state].next != CASE_STATE_COUNT)
        cell.next = row->cells[state].next;
    return cell;
}
