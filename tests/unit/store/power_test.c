/* Goal: whatever was acknowledged is there when the power comes back, whichever of the unsynced
 * writes the disk made and in whatever order, and after any call that the disk failed; the store
 * opens, each of its values opens, batches are whole, what was erased stays erased (S-1, S-2, S-6).
 * CONSILIUM_IMAGE_COUNT sets how many images are looked at, CONSILIUM_SEED which. */
#include "tests/unit/store/power_image.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "store/disk/item_row.h"
#include "store/item_file.h"
#include "tests/unit/store/fixture.h"

#ifdef __SANITIZE_ADDRESS__
enum { IMAGE_COUNT = 300, FAULT_COUNT = 10 }; /* unless told */
#else
enum { IMAGE_COUNT = 1500, FAULT_COUNT = 40 };
#endif

enum {
    STEP_COUNT = 24,
    BATCH_RECORDS = 3,
    ITEM_EVERY = 4,
    DESTROY_EVERY = 5,
    DESTROY_BEHIND = 3, /* batch n destroys the record of batch n - 3 */
    REKEY_EVERY = 9,
    OP_MAX = BATCH_RECORDS + 6,
    ITEM_SIZE = CHUNK_SIZE_MAX + 700,
};

/* What the program was told, or had asked for, in the order of the list of writes. */
enum step_kind { STEP_OPEN, STEP_BATCH, STEP_ITEM, STEP_REKEY, STEP_KINDS };

static uint64_t step_of(enum step_kind kind, uint64_t number)
{
    return (uint64_t)kind << 32 | number;
}

struct known {
    uint64_t said[STEP_KINDS];    /* the last of each kind that is durable */
    uint64_t started[STEP_KINDS]; /* the last that was asked for */
};

static void known_learn(struct known *known, const struct power_op *op)
{
    if (op->kind == POWER_SAID) {
        known->said[op->offset >> 32] = (uint32_t)op->offset;
    } else if (op->kind == POWER_STARTED) {
        known->started[op->offset >> 32] = (uint32_t)op->offset;
    }
}

static uint8_t memory[STORE_RECORD_SIZE_MAX];

/* ---- what the program does ---- */

struct work {
    struct fixture *fixture;
    uint64_t waiting; /* results that are to come */
    err result;       /* the first that is not OK */
};

static void on_done(void *arg, const struct store_done *done)
{
    struct work *work = arg;
    work->waiting--;
    work->result = work->result == OK ? done->result : work->result;
    if (done->result == OK && done->token != 0) {
        power_note(POWER_SAID, done->token);
    }
}

static void await(struct work *work)
{
    while (work->waiting > 0) {
        if (store_drain(work->fixture->store, on_done, work) == 0) {
            nanosleep(&(struct timespec){.tv_nsec = 20000}, NULL);
        }
    }
}

/* A result that comes, or did not even begin. */
static void asked(struct work *work, err result)
{
    work->waiting += result == OK ? 1 : 0;
    work->result = work->result == OK ? result : work->result;
}

static struct item_id item_of(uint64_t step)
{
    struct item_id item = {{(uint8_t)(0x80 + step)}};
    return item;
}

static bool is_deleted_after(uint64_t item_step, uint64_t batch)
{
    return item_step % (2 * ITEM_EVERY) == 0 && batch >= item_step + 6;
}

static bool is_destroyed_after(uint64_t sequence, uint64_t batch)
{
    uint64_t by = sequence + DESTROY_BEHIND;
    return by % DESTROY_EVERY == 0 && batch >= by;
}

/* Batch n: a record at position n of three streams, an audit entry, the row that says n, a row that
 * comes and goes; and now and then it destroys a record, or deletes an item. */
static void batch(struct work *work, uint64_t n)
{
    struct fixture_record records[BATCH_RECORDS];
    struct store_op ops[OP_MAX];
    struct stream_id first = fixture_stream(1, 0);
    size_t count = 0;
    uint8_t row[8];
    struct buffer buffer = buffer_over(row, sizeof row);
    buffer_u64(&buffer, n);
    for (; count < BATCH_RECORDS; count++) {
        fixture_record(&records[count], fixture_stream(1, (uint8_t)count), n, 300);
        ops[count] = records[count].op;
    }
    ops[count++] = (struct store_op){.kind = STORE_ROW_PUT,
                                     .row = {STORE_TABLE_META, bytes_of_text("last"), {row, 8}}};
    ops[count++] = (struct store_op){.kind = n % 2 == 1 ? STORE_ROW_PUT : STORE_ROW_DELETE,
                                     .row = {STORE_TABLE_CASE, bytes_of_text("odd"), {row, 8}}};
    ops[count++] = (struct store_op){.kind = STORE_AUDIT, .audit = {n, {row, 8}}};
    if (n > DESTROY_BEHIND && n % DESTROY_EVERY == 0) {
        ops[count++] = (struct store_op){.kind = STORE_DESTROY,
                                         .position = {&first, n - DESTROY_BEHIND, 0, 0}};
    }
    if (n > 6 && is_deleted_after(n - 6, n)) {
        ops[count++] = (struct store_op){.kind = STORE_ITEM_DELETE, .item = item_of(n - 6)};
    }
    power_note(POWER_STARTED, step_of(STEP_BATCH, n));
    asked(work,
          store_submit(work->fixture->store, ops, count, STORE_NORMAL, step_of(STEP_BATCH, n)));
}

static void item(struct work *work, uint64_t n)
{
    static uint8_t data[CHUNK_SIZE_MAX];
    struct store *store = work->fixture->store;
    struct item_id id = item_of(n);
    struct item_file_shape shape = {.size = ITEM_SIZE, .chunk_size = CHUNK_SIZE_MAX};
    memset(data, (int)n, sizeof data);
    asked(work, item_file_create(store, &id, &shape, 0));
    await(work);
    power_note(POWER_STARTED, step_of(STEP_ITEM, n));
    for (uint32_t i = 0; i < 2 && work->result == OK; i++) {
        struct item_file_chunk chunk = {i, {{(uint8_t)n}}, {data, item_row_chunk_size(&shape, i)}};
        asked(work, item_file_write(store, &id, &chunk, i == 1 ? step_of(STEP_ITEM, n) : 0));
    }
    await(work);
}

static bool opens(struct work *work)
{
    struct fixture *fixture = work->fixture;
    work->result = store_open(fixture->path, fixture->master, &fixture->options, fixture->problem,
                              &fixture->store);
    if (work->result != OK) {
        return false;
    }
    power_note(POWER_SAID, step_of(STEP_OPEN, 1));
    return true;
}

static void rekey(struct work *work, uint64_t epoch)
{
    asked(work, store_rekey(work->fixture->store, step_of(STEP_REKEY, epoch)));
    await(work);
}

/* Until all is done, or a call fails; the store is closed again. */
static err work_on(struct fixture *fixture)
{
    struct work work = {.fixture = fixture};
    uint64_t epoch = 1;
    for (uint64_t n = 1; n <= STEP_COUNT && work.result == OK; n++) {
        if (n == 1 || n == STEP_COUNT / 2) {
            await(&work);
            store_close(fixture->store);
            fixture->store = NULL;
            if (work.result != OK || !opens(&work)) {
                return work.result;
            }
        }
        if (n % ITEM_EVERY == 0) {
            item(&work, n);
        }
        /* on a full disk it waits for room, ten seconds and more */
        if (n % REKEY_EVERY == 0 && power.fails_with != ENOSPC) {
            rekey(&work, ++epoch);
        }
        batch(&work, n);
        /* some wait for each other, and go into one commit; but one that found the disk full is
         * refused alone, and those behind it are not */
        if (n % 3 == 0 || power.fails_with == ENOSPC) {
            await(&work);
        }
    }
    await(&work);
    fixture_close(fixture);
    return work.result;
}

/* ---- what must be there ---- */

struct look {
    struct fixture *fixture; /* of the image */
    const struct known *known;
    const char *wrong; /* NULL: nothing is lost */
};

static bool is_quiet; /* losses are meant to be found */

static void must(struct look *look, bool holds, const char *what)
{
    look->wrong = look->wrong == NULL && !holds ? what : look->wrong;
}

static uint64_t last_row(struct look *look)
{
    uint8_t row[8] = {0};
    struct buffer buffer = buffer_over(row, sizeof row);
    err result =
        row_table_get(look->fixture->store, STORE_TABLE_META, bytes_of_text("last"), &buffer);
    must(look, result == OK || result == ERR_NOT_FOUND, "the row cannot be read");
    struct reader reader = reader_of((struct bytes){row, 8});
    return reader_u64(&reader);
}

static void look_at_record(struct look *look, uint8_t stream, uint64_t sequence, uint64_t last)
{
    struct fixture_record expected;
    struct store_record record;
    fixture_record(&expected, fixture_stream(1, stream), sequence, 300);
    err result =
        record_table_get(look->fixture->store, &expected.stream, sequence, memory, &record);
    if (sequence > last) {
        must(look, result == ERR_NOT_FOUND, "a batch is half there");
        return;
    }
    must(look, result == OK, "a record is lost");
    if (result != OK) {
        return;
    }
    must(look, bytes_equal(record.head, (struct bytes){expected.head, FIXTURE_HEAD_SIZE}),
         "a record has another head");
    if (stream == 0 && is_destroyed_after(sequence, last)) {
        must(look, record.destroyed && !record.has_key && !record.has_body,
             "an erased one is back");
    } else {
        must(look,
             record.has_key && ID_EQUAL(record.key, expected.key) &&
                 bytes_equal(record.body, expected.op.put.body),
             "a record lost its body or key");
    }
}

static void look_at_item(struct look *look, uint64_t n, uint64_t last)
{
    static uint8_t chunk_memory[CHUNK_SIZE_MAX];
    struct item_id id = item_of(n);
    struct item_file_chunk chunk;
    err result = item_file_read(look->fixture->store, &id, 1, chunk_memory, &chunk);
    if (is_deleted_after(n, last)) {
        must(look, result == ERR_NOT_FOUND, "a deleted item is back");
    } else if (n <= look->known->said[STEP_ITEM]) {
        must(look, result == OK, "a chunk is lost");
    }
    if (result != OK) {
        return;
    }
    must(look, chunk.data.size == ITEM_SIZE - CHUNK_SIZE_MAX && chunk.leaf.bytes[0] == n,
         "a chunk has another shape");
    for (size_t i = 0; i < chunk.data.size; i++) {
        must(look, chunk.data.data[i] == (uint8_t)n, "a chunk is torn");
    }
}

/* They stand one after the other, from 1 on. */
static bool count_entry(void *arg, const struct store_audit *entry)
{
    uint64_t *entries = arg;
    *entries += entry->number == *entries + 1 ? 1 : 0;
    return true;
}

static void look_around(struct look *look)
{
    const struct known *known = look->known;
    uint64_t last = last_row(look);
    struct store_usage usage;
    uint8_t entry[8];
    must(look, last >= known->said[STEP_BATCH], "an acknowledged batch is lost");
    must(look, last <= known->started[STEP_BATCH], "a batch that nobody asked for");
    for (uint64_t n = 1; n <= last + 1; n++) {
        for (uint8_t stream = 0; stream < BATCH_RECORDS; stream++) {
            look_at_record(look, stream, n, last);
        }
    }
    for (uint64_t n = ITEM_EVERY; n <= known->started[STEP_ITEM]; n += ITEM_EVERY) {
        look_at_item(look, n, last);
    }
    uint64_t entries = 0;
    must(look,
         row_table_audit(look->fixture->store, 0, count_entry, &entries) == OK && entries == last,
         "the audit entries are others");
    struct buffer buffer = buffer_over(entry, sizeof entry);
    err odd = row_table_get(look->fixture->store, STORE_TABLE_CASE, bytes_of_text("odd"), &buffer);
    must(look, odd == (last % 2 == 1 ? OK : ERR_NOT_FOUND), "a row is not what it was");
    must(look, store_usage(look->fixture->store, &usage) == OK && usage.record_count == last * 3,
         "the count of records is wrong");
    must(look, usage.epoch >= known->said[STEP_REKEY], "an old store key is back");
    must(look, fixture_put(look->fixture, fixture_stream(2, 9), 1) == OK, "nothing can be written");
}

/* Opens what lies in the fixture's directory; false when anything is lost. */
static bool is_whole(struct fixture *fixture, const struct known *known)
{
    struct look look = {.fixture = fixture, .known = known};
    err result = store_open(fixture->path, fixture->master, &fixture->options, fixture->problem,
                            &fixture->store);
    if (result != OK) {
        fixture->store = NULL;
        if (!is_quiet) {
            print_error("%s: %s\n", err_name(result), fixture->problem);
        }
        return false;
    }
    look_around(&look);
    fixture_close(fixture);
    if (look.wrong != NULL && !is_quiet) {
        print_error("%s (of %llu batches acknowledged)\n", look.wrong,
                    (unsigned long long)known->said[STEP_BATCH]);
    }
    return look.wrong == NULL;
}

/* ---- tests ---- */

struct room {
    struct fixture *disk;  /* where the program works */
    struct fixture *image; /* where the power comes back */
    uint32_t image_count;
    uint32_t lost_count;
};

static unsigned long told(const char *name, unsigned long otherwise)
{
    const char *text = getenv(name);
    return text != NULL ? strtoul(text, NULL, 10) : otherwise;
}

static int given_two_directories(void **state)
{
    struct room *room = calloc(1, sizeof *room);
    assert_non_null(room);
    room->disk = fixture_new();
    room->image = fixture_new();
    room->image->options.verify = true;
    power_chance_state = told("CONSILIUM_SEED", 1);
    *state = room;
    return 0;
}

static int then_both_go(void **state)
{
    struct room *room = *state;
    fixture_free(room->disk);
    fixture_free(room->image);
    free(room);
    return 0;
}

static void try_image(struct room *room, const struct power_state *disk, const struct known *known)
{
    uint64_t seed = power_chance_state;
    fixture_empty(room->image->path);
    power_image(disk, room->image->path);
    room->image_count++;
    if (!is_whole(room->image, known)) {
        room->lost_count++;
        if (is_quiet) {
            return;
        }
        print_error("at write %zu of %zu, chance %llu\n", disk->at, power.op_count,
                    (unsigned long long)seed);
    }
}

static void nothing_acknowledged_is_lost_to_a_power_cut(void **state)
{
    struct room *room = *state;
    unsigned long wanted = told("CONSILIUM_IMAGE_COUNT", IMAGE_COUNT);
    while (room->image_count < wanted && room->lost_count == 0) {
        fixture_empty(room->disk->path);
        power_begin(room->disk->path, &(struct power_fault){0});
        assert_int_equal(work_on(room->disk), OK);
        power_end();
        unsigned long left = wanted - room->image_count;
        unsigned long each = left / power.op_count + 1;
        struct power_state *disk = calloc(1, sizeof *disk);
        struct known known = {.said = {0}};
        assert_non_null(disk);
        while (disk->at < power.op_count && room->lost_count == 0) {
            const struct power_op *op = &power.ops[disk->at];
            known_learn(&known, op);
            power_go_on(disk);
            for (unsigned long i = 0; i < (each < 200 ? each : 200); i++) {
                try_image(room, disk, &known);
            }
        }
        power_state_end(disk);
    }
    print_message("%u images after a power cut, %u with a loss\n", room->image_count,
                  room->lost_count);
    assert_int_equal(room->lost_count, 0);
    assert_true(room->image_count >= wanted);
}

/* The n-th call fails: once, or for good. What was acknowledged until then is there: for the next
 * process, and for the one after a power cut. */
static void try_fault(struct room *room, const struct power_fault *fault)
{
    struct known known = {.said = {0}};
    struct power_state *disk = calloc(1, sizeof *disk);
    assert_non_null(disk);
    fixture_empty(room->disk->path);
    power_begin(room->disk->path, fault);
    err result = work_on(room->disk);
    fixture_close(room->disk);
    power_end();
    while (disk->at < power.op_count) {
        known_learn(&known, &power.ops[disk->at]);
        power_go_on(disk);
    }
    if (fault->number == EIO && result == ERR_FULL) {
        room->lost_count++;
        print_error("an error of the disk was taken for a full disk\n");
    }
    for (int i = 0; i < 3; i++) {
        try_image(room, disk, &known);
    }
    room->lost_count += is_whole(room->disk, &known) ? 0 : 1;
    power_state_end(disk);
}

static void nothing_acknowledged_is_lost_when_the_disk_fails(void **state)
{
    struct room *room = *state;
    unsigned long wanted = told("CONSILIUM_FAULT_COUNT", FAULT_COUNT);
    power_begin(room->disk->path, &(struct power_fault){0});
    assert_int_equal(work_on(room->disk), OK);
    power_end();
    uint64_t call_count = power.call_count;
    for (unsigned long i = 0; i < wanted && room->lost_count == 0; i++) {
        struct power_fault fault = {.at = 1 + i * call_count / wanted % call_count,
                                    .count = i % 2 == 0 ? 1 : UINT32_MAX,
                                    .number = i % 4 < 2 ? EIO : ENOSPC};
        try_fault(room, &fault);
        if (room->lost_count > 0) {
            print_error("call %llu of %llu failed with %d, %llu times\n",
                        (unsigned long long)fault.at, (unsigned long long)call_count, fault.number,
                        (unsigned long long)fault.count);
        }
    }
    print_message("%lu failures of the disk, %u images, %u with a loss\n", wanted,
                  room->image_count, room->lost_count);
    assert_int_equal(room->lost_count, 0);
}

/* A child that falls ends, and does not go on as the test runner that it is a copy of. */
static void end_by_signals(void)
{
    static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    for (size_t i = 0; i < sizeof fatal / sizeof fatal[0]; i++)
        (void)signal(fatal[i], SIG_DFL);
}

/* A test of the test: a disk that forgets what it was told to sync is found out. */
static void a_disk_that_lies_is_found_out(void **state)
{
    struct room *room = *state;
    power_begin(room->disk->path, &(struct power_fault){0});
    assert_int_equal(work_on(room->disk), OK);
    power_end();
    struct power_state *disk = calloc(1, sizeof *disk);
    struct known known = {.said = {0}};
    assert_non_null(disk);
    for (size_t i = 0; i < power.op_count; i++) {
        struct power_op *op = &power.ops[i];
        known_learn(&known, op);
        if (i > power.op_count / 2 && op->kind == POWER_SYNC) {
            op->kind = POWER_DROP;
        }
        power_go_on(disk);
    }
    is_quiet = true;
    int found_count = 0;
    for (int i = 0; i < 50; i++) {
        int status = 0;
        power_chance_state = (uint64_t)i + 1;
        pid_t child = fork(); /* LMDB itself aborts at some of what such a disk leaves */
        if (child == 0) {
            end_by_signals();
            try_image(room, disk, &known);
            _exit(room->lost_count > 0 ? 1 : 0);
        }
        assert_true(child > 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        found_count += status != 0 ? 1 : 0;
    }
    is_quiet = false;
    power_state_end(disk);
    assert_true(found_count > 0);
}

#define ON_A_DISK(test) cmocka_unit_test_setup_teardown(test, given_two_directories, then_both_go)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_A_DISK(nothing_acknowledged_is_lost_to_a_power_cut),
        ON_A_DISK(nothing_acknowledged_is_lost_when_the_disk_fails),
        ON_A_DISK(a_disk_that_lies_is_found_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
