/* C-40: each cell of the table states x records in spec/consult.md, with records that are really
 * applied to a case that really got into that state. The expected values are the page's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/consult/consult_table.h"
#include "tests/harness/consult_fixture.h"

static struct service service;
static struct record_id opinion;

/* A case in that state, by the shortest way of real records; B has access and an opinion in it. */
static void reach(enum case_state state)
{
    service_init(&service, ANNOUNCEMENT_OPEN);
    if (state == CASE_DRAFT)
        return;
    assert_int_equal(service_open(&service), CONSULT_COUNTS);
    assert_int_equal(service_grant(&service, &service_b), CONSULT_COUNTS);
    assert_int_equal(service_opinion(&service, &service_b), CONSULT_AWAITS);
    opinion = service.record.id;
    assert_int_equal(service_take_in(&service, &service_b, &opinion, KIND_OPINION), CONSULT_COUNTS);
    if (state == CASE_REVEALED)
        assert_int_equal(service_reveal(&service, &opinion), CONSULT_COUNTS);
    if (state == CASE_SYNTHESISED)
        assert_int_equal(service_synthesis(&service), CONSULT_COUNTS);
    if (state == CASE_CLOSED || state == CASE_FOLLOWED_UP)
        assert_int_equal(service_close(&service), CONSULT_COUNTS);
    if (state == CASE_FOLLOWED_UP)
        assert_int_equal(service_outcome(&service, 21), CONSULT_COUNTS);
    struct case_record_withdraw withdraw = {.note = BYTES_NONE};
    if (state == CASE_WITHDRAWN)
        assert_int_equal(service_say(&service, &service_a, KIND_WITHDRAW, &withdraw),
                         CONSULT_COUNTS);
    if (state == CASE_ERASED)
        assert_int_equal(service_erase(&service, &service_a), CONSULT_COUNTS);
    assert_int_equal(service.consult.state, state);
}

/* A good record of that kind by that writer. */
static enum consult_verdict say(uint16_t kind, const struct node_id *writer)
{
    struct case_file case_file = {.description = bytes_of_text("The story.")};
    struct case_record_supply supply = {.note = bytes_of_text("All there is.")};
    struct case_record_withdraw withdraw = {.note = BYTES_NONE};
    struct case_record_opened opened = {.manifest_root = {{1}}};
    struct case_record_flag flag = {{{1}}, CASERECORD_IDENTIFYING, BYTES_NONE};
    struct case_record_ask ask = {.items = {{CASERECORD_WANT_TEST, bytes_of_text("Creatinine")}},
                                  .item_count = 1};
    struct case_record_decline decline = {CASERECORD_NOT_MY_FIELD, BYTES_NONE};
    struct record_id flagged = {{0xee}};
    switch (kind) {
    case KIND_OPEN:
        return service_open(&service);
    case KIND_MANIFEST:
        return service_say(&service, writer, kind, &case_file);
    case KIND_GRANT:
        return service_grant(&service, &service_c);
    case KIND_GRANT_END:
        return service_end(&service, &service_b, 0);
    case KIND_SUPPLY:
        return service_say(&service, writer, kind, &supply);
    case KIND_POST:
        return service_post(&service, writer);
    case KIND_TAKE_IN:
        return service_take_in(&service, &service_b, &flagged, KIND_FLAG);
    case KIND_REVEAL:
        return service_reveal(&service, &opinion);
    case KIND_SYNTHESIS:
        return service_synthesis(&service);
    case KIND_CLOSE:
        return service_close(&service);
    case KIND_EXTEND:
        return service_extend(&service, SERVICE_DEADLINE + 1);
    case KIND_WITHDRAW:
        return service_say(&service, writer, kind, &withdraw);
    case KIND_OUTCOME:
        return service_outcome(&service, 90);
    case KIND_OPENED:
        return service_say(&service, writer, kind, &opened);
    case KIND_FLAG:
        return service_say(&service, writer, kind, &flag);
    case KIND_ERASE:
        return service_erase(&service, writer);
    case KIND_OPINION:
        return service_opinion(&service, writer);
    case KIND_ASK:
        return service_say(&service, writer, kind, &ask);
    case KIND_DECLINE:
        return service_say(&service, writer, kind, &decline);
    case KIND_RELEASE:
        service.time.ms = SERVICE_DEADLINE;
        return service_release(&service, writer, &opinion);
    case KIND_ERASED:
        return service_erased(&service, writer);
    default:
        fail_msg("the page names a kind that this test cannot write: %s", kind_name(kind));
        return CONSULT_NO_MEANING;
    }
}

/* ---- the page ---- */

static const struct {
    const char *word;
    enum consult_verdict verdict;
} words[] = {
    {"counts", CONSULT_COUNTS},         {"awaits", CONSULT_AWAITS},
    {"not open", CONSULT_NOT_OPEN},     {"open already", CONSULT_OPEN_ALREADY},
    {"closed", CONSULT_CLOSED},         {"withdrawn", CONSULT_WITHDRAWN},
    {"erased", CONSULT_ERASED},         {"not closed", CONSULT_NOT_CLOSED},
    {"not erased", CONSULT_NOT_ERASED},
};

struct expectation {
    enum consult_verdict verdict;
    enum case_state next;
};

/* "counts", "closed", or "-> followed-up" */
static struct expectation expectation_of(const char *word, enum case_state state)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(word, words[i].word) == 0)
            return (struct expectation){words[i].verdict, state};
    if (strncmp(word, "\xe2\x86\x92 ", 4) == 0)
        for (int next = 0; next < CASE_STATE_COUNT; next++)
            if (strcmp(word + 4, consult_state_name((enum case_state)next)) == 0)
                return (struct expectation){CONSULT_COUNTS, (enum case_state)next};
    fail_msg("the page says \"%s\", which is no cell", word);
    return (struct expectation){CONSULT_NO_MEANING, state};
}

/* Splits "| a | b |" in place; returns how many cells. */
static size_t split(char *line, char *cells[16])
{
    size_t count = 0;
    char *rest = NULL;
    for (char *cell = strtok_r(line, "|\n", &rest); cell != NULL && count < 16;
         cell = strtok_r(NULL, "|\n", &rest)) {
        cell += strspn(cell, " ");
        size_t size = strlen(cell);
        while (size > 0 && cell[size - 1] == ' ')
            cell[--size] = 0;
        if (size > 0)
            cells[count++] = cell;
    }
    return count;
}

static void check_row(char *cells[16])
{
    cells[0][strlen(cells[0]) - 1] = 0; /* `KIND` */
    uint16_t kind = (uint16_t)kind_of_name(bytes_of_text(cells[0] + 1));
    bool by_requester = strcmp(cells[1], "requester") == 0;
    const struct node_id *writer = by_requester ? &service_a : &service_b;
    assert_int_not_equal(kind, KIND_NONE);
    for (int i = 0; i < CASE_STATE_COUNT; i++) {
        enum case_state state = (enum case_state)i;
        struct expectation expected = expectation_of(cells[2 + i], state);
        reach(state);
        enum consult_verdict verdict = say(kind, writer);
        if (verdict != expected.verdict || service.consult.state != expected.next)
            fail_msg("%s by the %s in state %s: \"%s\", then %s", kind_name(kind), cells[1],
                     consult_state_name(state), consult_verdict_sentence(verdict),
                     consult_state_name(service.consult.state));
    }
}

static void each_cell_of_the_page_is_what_happens(void **state)
{
    (void)state;
    char line[1024], *cells[16];
    size_t row_count = 0;
    FILE *page = fopen(TEST_SOURCE_DIR "/spec/consult.md", "r");
    assert_non_null(page);
    while (fgets(line, sizeof line, page) != NULL) {
        if (line[0] != '|' || split(line, cells) != 10 || cells[0][0] != '`')
            continue;
        check_row(cells);
        row_count++;
    }
    fclose(page);
    /* every kind of a case that has a content, once for each role that may write it */
    size_t count, expected = 0;
    const struct kind_rule *rules = kind_rules(&count);
    for (size_t i = 0; i < count; i++)
        if (rules[i].scopes == KIND_IN_CASE)
            expected += rules[i].writer == KIND_BY_EITHER ? 2 : 1;
    assert_int_equal(row_count, expected);
}

/* C-3 */
static void nobody_speaks_in_the_role_of_another(void **state)
{
    (void)state;
    size_t count;
    const struct kind_rule *rules = kind_rules(&count);
    for (size_t i = 0; i < count; i++) {
        if (rules[i].scopes != KIND_IN_CASE || rules[i].kind == KIND_ERASE)
            continue;
        enum consult_role wrong =
            rules[i].writer == KIND_BY_REQUESTER ? CONSULT_PARTICIPANT : CONSULT_REQUESTER;
        for (int at = 0; at < CASE_STATE_COUNT && rules[i].writer != KIND_BY_EITHER; at++)
            assert_int_equal(
                consult_table_cell((enum case_state)at, wrong, (uint16_t)rules[i].kind).verdict,
                CONSULT_WRONG_WRITER);
    }
    assert_int_equal(consult_table_cell(CASE_CLOSED, CONSULT_REQUESTER, KIND_JOIN).verdict,
                     CONSULT_NO_MEANING);
    assert_int_equal(consult_table_cell(CASE_CLOSED, CONSULT_PARTICIPANT, 0x0399).verdict,
                     CONSULT_NO_MEANING);
}

/* C-41 */
static void a_successor_may_erase_reveal_and_close_and_nothing_else(void **state)
{
    (void)state;
    size_t count;
    const struct kind_rule *rules = kind_rules(&count);
    for (size_t i = 0; i < count; i++) {
        enum kind kind = rules[i].kind;
        bool may = kind == KIND_ERASE || kind == KIND_REVEAL || kind == KIND_CLOSE;
        enum consult_verdict verdict =
            consult_table_cell(CASE_REVEALED, CONSULT_SUCCESSOR, (uint16_t)kind).verdict;
        if (may)
            assert_int_equal(verdict, CONSULT_COUNTS);
        else
            assert_true(verdict == CONSULT_WRONG_WRITER || verdict == CONSULT_NO_MEANING);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_cell_of_the_page_is_what_happens),
        cmocka_unit_test(nobody_speaks_in_the_role_of_another),
        cmocka_unit_test(a_successor_may_erase_reveal_and_close_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
