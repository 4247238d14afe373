#include "node/driver/scrub.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "node/os/log.h"
#include "node/rows/node_row.h"
#include "node/rows/stream_state.h"
#include "node/runtime/lost_record.h"
#include "protocol/replication/batch_verify.h"
#include "store/record_table.h"
#include "store/row_table.h"
#include "store/stream_table.h"

enum {
    SCRUB_INTERVAL_MS = 1000,
    SCRUB_PASS_MS = 24 * 60 * 60 * 1000,
    SCRUB_AGAIN_MS = 60 * 1000, /* what could not be named yet is looked at again */
    SCRUB_HURRY_MS = 10 * 60 * 1000,
    SCRUB_SLICE_MIN = 8,   /* records */
    SCRUB_SLICE_MAX = 128, /* also when it is in a hurry */
    SCRUB_PAGE_RECORDS = 32,
};

struct scrub {
    struct runtime *runtime;
    struct announcement_purge *purge;
    uint64_t number;      /* the last record that was looked at */
    struct wall began_at; /* this pass, or the last one */
    struct mono next_at;
    struct mono hurry_at; /* not in a hurry again before */
    bool is_resting;      /* until a day after the pass began */
    bool is_hurried;      /* all is looked at soon */
    bool is_again;        /* something could not be named yet */
    bool is_rekey_due;
    uint8_t plaintext[RECORD_SIZE_MAX]; /* of a record that is looked at; wiped after */
};

struct scrub *scrub_new(struct runtime *runtime, struct announcement_purge *purge)
{
    struct scrub *scrub = calloc(1, sizeof *scrub);
    if (scrub != NULL) {
        scrub->runtime = runtime;
        scrub->purge = purge;
    }
    return scrub;
}

void scrub_free(struct scrub *scrub)
{
    free(scrub);
}

/* ---- how far it came ---- */

static struct store_op scrub_put(const struct scrub *scrub, bool has_ended_well,
                                 uint8_t memory[static NODE_ROW_SCRUB_SIZE])
{
    const struct node_row_scrub row = {.number = scrub->number,
                                       .began_at = scrub->began_at,
                                       .is_complete = has_ended_well && !scrub->is_hurried};
    return node_row_scrub_put(&row, memory);
}

void scrub_start(struct scrub *scrub)
{
    uint8_t memory[NODE_ROW_SCRUB_SIZE];
    struct node_row_scrub row;
    if (node_row_scrub_get(runtime_store(scrub->runtime), &row) == OK && row.is_complete &&
        !scrub->is_hurried) {
        scrub->number = row.number;
        scrub->began_at = row.began_at;
        scrub->is_resting = row.number == 0;
    } else {
        scrub_hurry(scrub);
    }
    struct store_op op = scrub_put(scrub, false, memory);
    struct runtime_keep keep = {.ops = &op, .op_count = 1, .urgency = STORE_NORMAL};
    runtime_keep(scrub->runtime, &keep);
}

void scrub_end(struct scrub *scrub)
{
    uint8_t memory[NODE_ROW_SCRUB_SIZE];
    struct store_op op = scrub_put(scrub, true, memory);
    err failure = store_commit(runtime_store(scrub->runtime), &op, 1, STORE_NORMAL, NULL);
    if (failure != OK)
        log_debug("scrub-not-kept", log_err("why", failure));
}

void scrub_hurry(struct scrub *scrub)
{
    struct mono now = runtime_mono();
    if (now.ms < scrub->hurry_at.ms)
        return;
    scrub->hurry_at.ms = now.ms + SCRUB_HURRY_MS;
    scrub->is_hurried = true;
    scrub->number = 0;
    scrub->began_at = runtime_wall();
}

/* ---- what the disk lost ---- */

/* The name of what stood there: the record behind it tells, or the stream's row. */
static bool scrub_name(struct scrub *scrub, const struct store_damage *damage,
                       struct record_id *ret_id)
{
    struct store_record next;
    struct record_claim claim;
    struct store_stream_row row;
    if (damage->has_id) {
        *ret_id = damage->id;
        return true;
    }
    if (record_table_get(runtime_store(scrub->runtime), &damage->stream, damage->sequence + 1,
                         runtime_page(scrub->runtime), &next) == OK &&
        record_parse_again(next.head, &next.id, &claim) == OK) {
        *ret_id = claim.header.previous;
        return true;
    }
    if (stream_table_get(runtime_store(scrub->runtime), &damage->stream, &row) != OK)
        return false;
    struct stream_state state;
    if (stream_state_read(&row, &state) != OK || state.tail != damage->sequence)
        return false;
    *ret_id = state.tail_id;
    return true;
}

static void scrub_lose(struct scrub *scrub, const struct store_damage *damage,
                       const struct record_id *id)
{
    const struct lost_record lost = {damage->stream, damage->sequence, *id, damage->flags};
    if (lost_record_is_known(scrub->runtime, &lost))
        return;
    bool is_own = ID_EQUAL(damage->stream.writer, runtime_settings(scrub->runtime)->self);
    log_error(
        "disk-lost-a-record", log_text("federation", runtime_name(scrub->runtime)),
        log_hex("writer", ID_BYTES(damage->stream.writer)), log_count("sequence", damage->sequence),
        log_text("do", is_own ? "check the disk; this node wrote it, and it comes back only if "
                                "another member has it"
                              : "check the disk; it is requested from other members"));
    lost_record_keep(scrub->runtime, &lost);
}

void scrub_repaired(struct scrub *scrub, const struct record_claim *claim)
{
    const struct record_header *header = &claim->header;
    struct store_damage damage = {.stream = header->stream, .sequence = header->sequence - 1};
    struct store_record record;
    if (header->sequence > 1 &&
        record_table_get(runtime_store(scrub->runtime), &damage.stream, damage.sequence,
                         runtime_page(scrub->runtime), &record) == ERR_CORRUPT)
        scrub_lose(scrub, &damage, &header->previous);
}

/* The record is whole: what leads to it is put back. */
static void scrub_mend(struct scrub *scrub, const struct store_record *record,
                       const struct record_claim *claim)
{
    struct store_op op = {.kind = STORE_MEND};
    op.put = (struct store_put){.stream = &claim->header.stream,
                                .sequence = record->sequence,
                                .id = &record->id,
                                .head = record->head,
                                .body = record->body,
                                .key = record->has_key ? &record->key : NULL,
                                .flags = record->flags,
                                .number = record->number};
    struct runtime_keep keep = {.ops = &op, .op_count = 1, .urgency = STORE_NORMAL};
    log_warn("disk-mended", log_text("federation", runtime_name(scrub->runtime)),
             log_count("record", record->number),
             log_text("do", "check the disk: an index did not lead to a record, and was repaired"));
    runtime_keep(scrub->runtime, &keep);
}

/* (S-14) The header has the record's name, and the body is what the header promises. */
static bool scrub_is_whole(const struct store_record *record, struct record_claim *ret_claim)
{
    struct bytes whole = {record->head.data, record->head.size + record->body.size};
    return record_parse(whole, ret_claim) == OK && ID_EQUAL(ret_claim->id, record->id) &&
           (!record->has_body || record_check_body(ret_claim) == OK);
}

static void scrub_damaged(struct scrub *scrub, uint64_t number)
{
    struct store_record record;
    struct record_claim claim;
    struct store_damage damage;
    struct record_id id;
    err failure = record_table_nth(runtime_store(scrub->runtime), number,
                                   runtime_page(scrub->runtime), &record);
    if (failure == OK && scrub_is_whole(&record, &claim)) {
        scrub_mend(scrub, &record, &claim);
        return;
    }
    failure = store_damage(runtime_store(scrub->runtime), number, &damage);
    if (failure == OK && scrub_name(scrub, &damage, &id)) {
        scrub_lose(scrub, &damage, &id);
        return;
    }
    if (failure == OK)
        scrub->is_again = true; /* the one behind it tells its name, when it is back */
    log_error("disk-lost-a-record", log_text("federation", runtime_name(scrub->runtime)),
              log_count("record", number), log_err("why", failure),
              log_text("do", "check the disk: which record it was is not known yet"));
}

/* ---- what was erased ---- */

/* (S-6) Does a tombstone name it? */
static bool scrub_is_erased(struct scrub *scrub, const struct store_record *record,
                            const struct record_claim *claim)
{
    const struct scope *scope = &claim->header.stream.scope;
    struct step_record opened = {
        .record = {record->head.data, record->head.size + record->body.size},
        .has_key = record->has_key,
        .key = record->key,
        .flags = record->flags};
    if (claim->header.audience == AUDIENCE_CLEAR || record->destroyed ||
        (!record->has_body && !record->has_key))
        return false;
    if (row_table_tombstone(runtime_store(scrub->runtime), STORE_TOMBSTONE_RECORD, record->id.bytes,
                            NULL))
        return true;
    if (scope->kind == SCOPE_CASE)
        return row_table_tombstone(runtime_store(scrub->runtime), STORE_TOMBSTONE_CASE, scope->id,
                                   NULL);
    if (announcement_purge_waits(scrub->purge))
        return false; /* it is about to be destroyed */
    struct buffer memory = buffer_over(scrub->plaintext, sizeof scrub->plaintext);
    batch_verify_open(&opened, &memory);
    bool is_done =
        opened.verdict == OK && opened.plaintext.size > 0 &&
        announcement_purge_is_done(runtime_store(scrub->runtime), claim, opened.plaintext);
    sodium_memzero(scrub->plaintext, sizeof scrub->plaintext);
    return is_done;
}

static void scrub_destroy(struct scrub *scrub, const struct record_claim *claim)
{
    struct store_op op = {.kind = STORE_DESTROY};
    op.position.stream = &claim->header.stream;
    op.position.sequence = claim->header.sequence;
    op.position.flags = op.position.flags_mask = RECORD_DESTROYED | RECORD_BARE;
    struct runtime_keep keep = {.ops = &op, .op_count = 1, .urgency = STORE_RELEASING};
    log_error("erased-was-here", log_text("federation", runtime_name(scrub->runtime)),
              log_hex("writer", ID_BYTES(claim->header.stream.writer)),
              log_text("do", "nothing: it is destroyed again"));
    runtime_keep(scrub->runtime, &keep);
    scrub->is_rekey_due = true;
}

/* What opens is looked at as well, up to record `last`. */
static void scrub_look(struct scrub *scrub, uint64_t number, uint64_t last)
{
    struct store_record records[SCRUB_PAGE_RECORDS];
    struct store_page page = {.records = records,
                              .record_max = SCRUB_PAGE_RECORDS,
                              .memory = runtime_page(scrub->runtime),
                              .memory_size = RUNTIME_PAGE_SIZE};
    uint64_t bad[SCRUB_SLICE_MAX];
    size_t bad_count = 0;
    while (number < last && record_table_all(runtime_store(scrub->runtime), number, &page) == OK &&
           page.record_count > 0) {
        for (size_t i = 0; i < page.record_count && number < last; i++) {
            struct record_claim claim;
            number = records[i].number;
            if (number > last)
                break;
            if (!scrub_is_whole(&records[i], &claim) && bad_count < SCRUB_SLICE_MAX)
                bad[bad_count++] = number;
            else if (scrub_is_erased(scrub, &records[i], &claim))
                scrub_destroy(scrub, &claim);
        }
    }
    sodium_memzero(records, sizeof records);
    for (size_t i = 0; i < bad_count; i++)
        scrub_damaged(scrub, bad[i]);
}

/* ---- the walk ---- */

static size_t scrub_slice(struct scrub *scrub)
{
    struct store_usage usage;
    if (scrub->is_hurried || store_usage(runtime_store(scrub->runtime), &usage) != OK)
        return SCRUB_SLICE_MAX;
    uint64_t count = usage.record_count * SCRUB_INTERVAL_MS / SCRUB_PASS_MS + 1;
    count = count < SCRUB_SLICE_MIN ? SCRUB_SLICE_MIN : count;
    return count > SCRUB_SLICE_MAX ? SCRUB_SLICE_MAX : (size_t)count;
}

/* All was looked at. The next pass comes in a day. */
static void scrub_rest(struct scrub *scrub)
{
    scrub->is_hurried = false;
    scrub->number = 0;
    scrub->is_resting = true;
    if (scrub->is_again)
        scrub->began_at.ms = runtime_wall().ms - SCRUB_PASS_MS + SCRUB_AGAIN_MS;
    scrub->is_again = false;
    if (scrub->is_rekey_due && store_rekey(runtime_store(scrub->runtime), 0) != ERR_IO)
        scrub->is_rekey_due = false;
}

void scrub_tick(struct scrub *scrub)
{
    struct mono now = runtime_mono();
    if (now.ms < scrub->next_at.ms)
        return;
    scrub->next_at.ms = now.ms + SCRUB_INTERVAL_MS;
    if (scrub->is_resting && !scrub->is_hurried &&
        runtime_wall().ms < scrub->began_at.ms + SCRUB_PASS_MS)
        return;
    if (scrub->is_resting && !scrub->is_hurried)
        scrub->began_at = runtime_wall();
    scrub->is_resting = false;
    uint64_t from = scrub->number, last = from;
    err failure = store_verify(runtime_store(scrub->runtime), from, scrub_slice(scrub), &last);
    if (failure == ERR_CORRUPT)
        scrub_damaged(scrub, last);
    else if (failure != OK)
        return; /* the writer is told of a disk that fails */
    scrub_look(scrub, from, failure == OK ? last : last - 1);
    scrub->number = last;
    if (last == from)
        scrub_rest(scrub);
}
