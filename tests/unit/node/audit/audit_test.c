/* The chain finds what was done to it: each way of cheating is tried on a log of ten entries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "node/audit/audit.h"
#include "node/audit/audit_walk.h"
#include "protocol/base/hash.h"

enum { COUNT = 10 };

struct log_entry {
    uint64_t number; /* under which it is stored */
    size_t size;
    uint8_t bytes[2 * AUDIT_ENTRY_SIZE_MAX];
};

struct log_book {
    struct log_entry entries[COUNT + 2];
    size_t count;
    struct hash hash;
};

static struct bytes bytes_of(const struct log_entry *entry)
{
    return (struct bytes){entry->bytes, entry->size};
}

static void write_entry(struct log_entry *to, struct audit_entry *entry)
{
    struct buffer out = buffer_over(to->bytes, sizeof to->bytes);
    assert_int_equal(OK, audit_entry_write(entry, &out));
    to->number = entry->number;
    to->size = out.size;
}

static void append(struct log_book *book, enum audit_what what, struct bytes lost, uint64_t number)
{
    struct audit_entry entry = {
        .number = number,
        .previous = book->hash,
        .time = {1000 + number},
        .fact = {.what = what, .login = bytes_of_text("weiss"), .uid = 1001},
        .lost = lost};
    write_entry(&book->entries[book->count], &entry);
    book->hash = hash_one(CONTEXT_AUDIT, bytes_of(&book->entries[book->count++]));
}

static struct log_book ten_entries(void)
{
    static struct log_book book;
    memset(&book, 0, sizeof book);
    for (uint64_t i = 1; i <= COUNT; i++)
        append(&book, AUDIT_POSTED, BYTES_NONE, i);
    return book;
}

static struct audit_verdict walk_with(const struct log_book *book, uint64_t number,
                                      const struct hash *witnessed)
{
    struct audit_walk *walk = audit_walk_new();
    assert_non_null(walk);
    if (witnessed != NULL)
        audit_walk_witness(walk, number, witnessed);
    for (size_t i = 0; i < book->count; i++)
        audit_walk_look(walk, bytes_of(&book->entries[i]));
    for (size_t i = 0; i < book->count; i++)
        audit_walk_step(walk, book->entries[i].number, bytes_of(&book->entries[i]));
    struct audit_verdict verdict = audit_walk_end(walk);
    audit_walk_free(walk);
    return verdict;
}

static struct audit_verdict walk(const struct log_book *book)
{
    return walk_with(book, 0, NULL);
}

static void an_untouched_log_is_sound(void **state)
{
    (void)state;
    struct log_book book = ten_entries();
    struct audit_verdict verdict = walk_with(&book, COUNT, &book.hash);
    assert_int_equal(AUDIT_SOUND, verdict.fault);
    assert_int_equal(COUNT, verdict.number);
    assert_int_equal(COUNT, verdict.count);
    assert_int_equal(1, verdict.audit_evidence_count);
    assert_memory_equal(book.hash.bytes, verdict.head.bytes, HASH_SIZE);
}

static void an_empty_log_is_sound(void **state)
{
    (void)state;
    struct log_book book = {.count = 0};
    assert_int_equal(AUDIT_SOUND, walk(&book).fault);
}

static void an_altered_entry_is_found(void **state)
{
    (void)state;
    struct log_book book = ten_entries();
    struct audit_entry entry;
    struct log_entry original = book.entries[4];
    assert_int_equal(OK, audit_entry_read(bytes_of(&original), &entry));
    entry.fact.login = bytes_of_text("meier");
    write_entry(&book.entries[4], &entry);
    struct audit_verdict verdict = walk(&book);
    assert_int_equal(AUDIT_ALTERED, verdict.fault);
    assert_int_equal(5, verdict.number);
}

static void every_altered_byte_is_found(void **state)
{
    (void)state;
    struct log_book book = ten_entries();
    for (size_t i = 0; i < book.entries[3].size; i++) {
        book.entries[3].bytes[i] ^= 1;
        assert_int_not_equal(AUDIT_SOUND, walk(&book).fault);
        book.entries[3].bytes[i] ^= 1;
    }
}

static void a_dropped_entry_is_found(void **state)
{
    (void)state;
    struct log_book book = ten_entries();
    memmove(&book.entries[4], &book.entries[5], (COUNT - 5) * sizeof book.entries[0]);
    book.count--;
    struct audit_verdict verdict = walk(&book);
    assert_int_equal(AUDIT_MISSING, verdict.fault);
    assert_int_equal(5, verdict.number);
}

static void a_dropped_first_entry_is_found(void **state)
{
    (void)state;
    struct log_book book = ten_entries();
    memmove(&book.entries[0], &book.entries[1], (COUNT - 1) * sizeof book.entries[0]);
    book.count--;
    assert_int_equal(AUDIT_MISSING, walk(&book).fault);
}

static void a_dropped_entry_is_found_when_the_others_move_up(void **state)
{
    (void)state;
    struct log_book book = ten_entries();
    memmove(&book.entries[4], &book.entries[5], (COUNT - 5) * sizeof book.entries[0]);
    book.count--;
    for (size_t i = 4; i < book.count; i++)
        book.entries[i].number--;
    assert_int_equal(AUDIT_REORDERED, walk(&book).fault);
}

static void reordered_entries_are_found(void **state)
{
    (void)state;
    struct log_book book = ten_entries();
    struct log_entry kept = book.entries[3];
    book.entries[3] = book.entries[4];
    book.entries[4] = kept;
    book.entries[3].number = 4;
    book.entries[4].number = 5;
    struct audit_verdict verdict = walk(&book);
    assert_int_equal(AUDIT_REORDERED, verdict.fault);
    assert_int_equal(4, verdict.number);
}

static void an_inserted_entry_is_found(void **state)
{
    (void)state;
    struct log_book book = ten_entries();
    memmove(&book.entries[5], &book.entries[4], (COUNT - 4) * sizeof book.entries[0]);
    book.count++;
    struct audit_entry entry = {.number = 5,
                                .previous = hash_one(CONTEXT_AUDIT, bytes_of(&book.entries[3])),
                                .time = {1},
                                .fact.what = AUDIT_EXPORTED};
    write_entry(&book.entries[4], &entry);
    for (size_t i = 5; i < book.count; i++)
        book.entries[i].number++;
    struct audit_verdict verdict = walk(&book);
    assert_int_equal(AUDIT_INSERTED, verdict.fault);
    assert_int_equal(6, verdict.number);
}

static void a_truncated_log_is_found_against_a_witnessed_head_only(void **state)
{
    (void)state;
    struct log_book book = ten_entries();
    struct hash head = book.hash;
    book.count -= 3;
    assert_int_equal(AUDIT_SOUND, walk(&book).fault);
    struct audit_verdict verdict = walk_with(&book, COUNT, &head);
    assert_int_equal(AUDIT_TRUNCATED, verdict.fault);
    assert_int_equal(8, verdict.number);
}

static void a_log_written_anew_is_found_against_a_witnessed_head(void **state)
{
    (void)state;
    struct log_book book = ten_entries();
    struct hash head = book.hash;
    memset(&book, 0, sizeof book);
    for (uint64_t i = 1; i <= COUNT; i++)
        append(&book, i == 5 ? AUDIT_EXPORTED : AUDIT_POSTED, BYTES_NONE, i);
    assert_int_equal(AUDIT_SOUND, walk(&book).fault);
    assert_int_equal(AUDIT_REWRITTEN, walk_with(&book, COUNT, &head).fault);
}

/* Entry 5 was refused by a full disk while 6 and 7 were taken; 8 tells what it said. */
static void an_entry_that_the_disk_refused_is_followed_where_it_was_told_again(void **state)
{
    (void)state;
    struct log_book book = {.count = 0};
    for (uint64_t i = 1; i <= 7; i++)
        append(&book, AUDIT_POSTED, BYTES_NONE, i);
    struct log_entry refused = book.entries[4];
    append(&book, AUDIT_REFUSED, bytes_of(&refused), 8);
    memmove(&book.entries[4], &book.entries[5], 3 * sizeof book.entries[0]);
    book.count--;
    assert_int_equal(AUDIT_SOUND, walk(&book).fault);
    book.count--;
    assert_int_equal(AUDIT_MISSING, walk(&book).fault);
}

static void bytes_that_are_no_entry_are_found(void **state)
{
    (void)state;
    struct log_book book = ten_entries();
    book.entries[9].size = 3;
    struct audit_verdict verdict = walk(&book);
    assert_int_equal(AUDIT_UNREADABLE, verdict.fault);
    assert_int_equal(10, verdict.number);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_untouched_log_is_sound),
        cmocka_unit_test(an_empty_log_is_sound),
        cmocka_unit_test(an_altered_entry_is_found),
        cmocka_unit_test(every_altered_byte_is_found),
        cmocka_unit_test(a_dropped_entry_is_found),
        cmocka_unit_test(a_dropped_first_entry_is_found),
        cmocka_unit_test(a_dropped_entry_is_found_when_the_others_move_up),
        cmocka_unit_test(reordered_entries_are_found),
        cmocka_unit_test(an_inserted_entry_is_found),
        cmocka_unit_test(a_truncated_log_is_found_against_a_witnessed_head_only),
        cmocka_unit_test(a_log_written_anew_is_found_against_a_witnessed_head),
        cmocka_unit_test(an_entry_that_the_disk_refused_is_followed_where_it_was_told_again),
        cmocka_unit_test(bytes_that_are_no_entry_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
