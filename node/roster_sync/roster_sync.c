#include "node/roster_sync/roster_sync.h"

#include <stdlib.h>
#include <string.h>

#include "node/os/log.h"
#include "node/roster_sync/misbehavior_score.h"
#include "node/roster_sync/split_recovery.h"
#include "node/rows/roster_row.h"
#include "protocol/roster/roster_export.h"
#include "protocol/roster/roster_snapshot.h"
#include "protocol/wire/frame.h"

enum {
    ROSTER_SYNC_ROW_SIZE = 200 * 1024, /* a piece of the export, within a row's limit */
    ROSTER_SYNC_RETRY_S = 5,
    ROSTER_SYNC_ASSEMBLY_S = 60, /* so long nobody else may begin */
    ROSTER_SYNC_BARRED_S = 60,
    ROSTER_SYNC_UNSENT_MAX = 256 * 1024, /* what a link has to take before it is answered again */
    ROSTER_SYNC_KEEP_SIZE_MAX = 1024 * 1024,
    ROSTER_SYNC_PROOF_COUNT_MAX = 64, /* since the start */
};

/* What is being received. One delta at a time, from whoever answers first. */
struct roster_sync {
    struct runtime *runtime;
    uint8_t *learnt; /* framed heads not yet kept: u32 size, head */
    size_t learnt_size;
    uint8_t *assembly_memory;
    size_t assembly_size;
    bool is_assembling;
    struct link_id from;
    uint64_t begun_at;     /* in seconds, when `from` gave its first part */
    struct link_id barred; /* who gave content that was none, or did not end */
    uint64_t barred_until; /* in seconds */
    uint64_t seconds;      /* since the start */
    struct delta_assembly assembly;
    unsigned seconds_behind;
    struct split_recovery split_recovery;
    struct misbehavior_score misbehavior_score;
    bool has_healing_content; /* `assembly` holds the whole of it */
    unsigned proof_count;     /* kept since the start */
    uint32_t refused_count;   /* and by earlier runs */
    struct link_id back_link; /* whose heads do not continue ours: asked from further back */
    uint64_t back_epoch;      /* 0: nobody is asked */
};

struct roster_sync *roster_sync_new(struct runtime *runtime)
{
    struct roster_sync *heads = calloc(1, sizeof *heads);
    if (heads != NULL)
        heads->runtime = runtime;
    return heads;
}

void roster_sync_free(struct roster_sync *heads)
{
    if (heads == NULL)
        return;
    free(heads->learnt);
    free(heads->assembly_memory);
    free(heads);
}

uint32_t roster_sync_refused(const struct roster_sync *heads)
{
    return heads->refused_count + heads->proof_count;
}

/* ---- in the store ---- */

static err roster_sync_load_export(struct store *store, uint8_t **ret_all, size_t *ret_size)
{
    uint8_t *all = NULL;
    size_t size = 0;
    err failure = OK;
    for (uint64_t piece = 0; failure == OK; piece++) {
        uint8_t *larger = realloc(all, size + STORE_ROW_SIZE_MAX);
        if (larger == NULL) {
            failure = ERR_NO_MEMORY;
            break;
        }
        all = larger;
        struct buffer row = buffer_over(all + size, STORE_ROW_SIZE_MAX);
        failure = roster_row_piece_get(store, piece, &row);
        if (failure == OK && row.size == 0)
            break; /* the piece that ends it */
        size += failure == OK ? row.size : 0;
    }
    if (failure != OK) {
        free(all);
        return failure;
    }
    *ret_all = all;
    *ret_size = size;
    return OK;
}

err roster_sync_restore(struct store *store, struct roster *roster)
{
    uint8_t *all;
    size_t size;
    err failure = roster_sync_load_export(store, &all, &size);
    if (failure != OK)
        return failure;
    failure = roster_export_read(roster, (struct bytes){all, size});
    free(all);
    return failure;
}

/* One row for each head; its epoch is read from it. */
static err roster_sync_ops_of_heads(struct bytes heads, struct store_op *ops,
                                    struct roster_row_bytes *keys, size_t *count)
{
    struct reader reader = reader_of(heads);
    while (!reader_done(&reader)) {
        struct roster_head_signed signed_head;
        struct roster_head head;
        struct bytes bytes = reader_take(&reader, reader_u32(&reader));
        if (reader.failed || *count == STORE_BATCH_OP_MAX - 64)
            return ERR_MALFORMED;
        err failure = roster_head_signed_read(bytes, &signed_head);
        if (failure == OK)
            failure = roster_head_read(signed_head.body, &head);
        if (failure != OK)
            return failure;
        ops[*count] = roster_row_head_put(head.epoch, bytes, &keys[*count]);
        (*count)++;
    }
    return OK;
}

err roster_sync_keep(struct store *store, const struct roster *roster, struct bytes heads)
{
    size_t size = roster_export_size(roster);
    uint8_t *all = malloc(size + 1);
    struct store_op *ops = calloc(STORE_BATCH_OP_MAX, sizeof *ops);
    struct roster_row_bytes *keys = calloc(STORE_BATCH_OP_MAX, sizeof *keys);
    size_t count = 0;
    err failure = all == NULL || ops == NULL || keys == NULL ? ERR_NO_MEMORY : OK;
    if (failure == OK)
        failure = roster_sync_ops_of_heads(heads, ops, keys, &count);
    if (failure != OK)
        goto done;
    struct buffer export = buffer_over(all, size);
    roster_export_write(roster, &export);
    uint64_t piece = 0;
    for (size_t offset = 0; offset <= size && count < STORE_BATCH_OP_MAX;) {
        size_t left = size - offset;
        size_t taken = left > ROSTER_SYNC_ROW_SIZE ? ROSTER_SYNC_ROW_SIZE : left;
        ops[count] =
            roster_row_piece_put(piece++, (struct bytes){all + offset, taken}, &keys[count]);
        count++;
        offset += taken;
        if (taken == 0)
            break;
    }
    failure = store_commit(store, ops, count, STORE_RELEASING, NULL);
done:
    free(keys);
    free(ops);
    free(all);
    return failure;
}

err roster_sync_open(struct roster_sync *heads)
{
    err failure = split_recovery_open(&heads->split_recovery, runtime_store(heads->runtime));
    return failure != OK
               ? failure
               : roster_row_refused_count(runtime_store(heads->runtime), &heads->refused_count);
}

err roster_sync_read(struct store *store, uint64_t epoch, struct buffer *ret_signed_head)
{
    return roster_row_head_get(store, epoch, ret_signed_head);
}

/* ---- answering ---- */

static void roster_sync_send(struct roster_sync *heads, struct link_id link,
                             const struct buffer *frame)
{
    runtime_send_frame(heads->runtime, link, buffer_bytes(frame));
}

/* ROSTER-36: the epochs of our heads above `since`, following `previous` from the last one down:
 * what a healing left behind is nobody's way forward. Returns how many, descending; 0 when one
 * cannot be read. */
static uint32_t roster_sync_path(struct roster_sync *heads, uint64_t since, uint64_t *ret_epochs)
{
    const struct chain *chain = &runtime_roster(heads->runtime)->chain;
    const struct chain_link *link = chain_last(chain);
    uint32_t count = 0;
    while (link != NULL && link->epoch > since) {
        struct roster_head_signed signed_head;
        struct roster_head head;
        uint8_t memory[HEAD_SIZE_MAX];
        struct buffer row = buffer_over(memory, sizeof memory);
        err failure = roster_sync_read(runtime_store(heads->runtime), link->epoch, &row);
        if (failure == OK)
            failure = roster_head_signed_read(buffer_bytes(&row), &signed_head);
        if (failure == OK)
            failure = roster_head_read(signed_head.body, &head);
        if (failure != OK) {
            log_warn("head-missing", log_count("epoch", link->epoch), log_err("why", failure));
            return 0;
        }
        ret_epochs[count++] = link->epoch;
        link = link->epoch == ROSTER_HEAD_EPOCH_FIRST ? NULL : chain_find(chain, &head.previous);
    }
    return count;
}

static void roster_sync_answer_heads(struct roster_sync *heads, struct link_id link, uint64_t since)
{
    uint8_t memory[FRAME_SIZE_MAX], row_memory[HEAD_SIZE_MAX];
    struct buffer frame = buffer_over(memory, sizeof memory);
    uint64_t *epochs =
        calloc((size_t)runtime_roster(heads->runtime)->chain.count + 1, sizeof *epochs);
    uint32_t count = epochs == NULL ? 0 : roster_sync_path(heads, since, epochs);
    frame_heads_begin(&frame);
    while (count > 0) {
        struct buffer row = buffer_over(row_memory, sizeof row_memory);
        if (roster_sync_read(runtime_store(heads->runtime), epochs[--count], &row) != OK)
            break;
        if (!frame_head_write(&frame, buffer_bytes(&row))) {
            roster_sync_send(heads, link, &frame);
            frame = buffer_over(memory, sizeof memory);
            frame_heads_begin(&frame);
            (void)frame_head_write(&frame, buffer_bytes(&row));
        }
    }
    free(epochs);
    if (frame.data[1] > 0)
        roster_sync_send(heads, link, &frame);
}

static void roster_sync_answer_content(struct roster_sync *heads, struct link_id link)
{
    const struct roster *roster = runtime_roster(heads->runtime);
    struct roster_cursor cursor = {0};
    bool is_last = false;
    while (!is_last) {
        uint8_t memory[FRAME_SIZE_MAX], part_memory[DELTA_PART_SIZE_MAX];
        struct buffer part = buffer_over(part_memory, sizeof part_memory);
        struct buffer frame = buffer_over(memory, sizeof memory);
        is_last = roster_snapshot_part(roster, &cursor, &part);
        frame_roster_part_write(&frame, buffer_bytes(&part));
        roster_sync_send(heads, link, &frame);
    }
}

static void roster_sync_on_want(struct roster_sync *heads, struct link_id link, struct bytes frame)
{
    struct frame_heads_want want;
    const struct roster *roster = runtime_roster(heads->runtime);
    if (frame_heads_want_read(frame, &want) != OK || roster_current_head(roster) == NULL ||
        roster_is_behind(roster) || runtime_unsent(heads->runtime, link) > ROSTER_SYNC_UNSENT_MAX)
        return; /* ROSTER-59: it asks again */
    roster_sync_answer_heads(heads, link, want.epoch);
    struct head_id current = roster_current_id(roster);
    if (!ID_EQUAL(want.base, current))
        roster_sync_answer_content(heads, link);
}

/* ---- receiving ---- */

void roster_sync_ask(struct roster_sync *heads, struct link_id link)
{
    const struct roster *roster = runtime_roster(heads->runtime);
    const struct chain_link *last = chain_last(&roster->chain);
    struct frame_heads_want want = {.epoch = last == NULL ? 0 : last->epoch};
    uint8_t memory[64];
    struct buffer frame = buffer_over(memory, sizeof memory);
    if (roster_current_head(roster) != NULL)
        want.base = roster_current_id(roster);
    frame_heads_want_write(&frame, &want);
    roster_sync_send(heads, link, &frame);
}

static void roster_sync_remember(struct roster_sync *heads, struct bytes signed_head)
{
    size_t size = heads->learnt_size + 4 + signed_head.size;
    if (size > ROSTER_SYNC_KEEP_SIZE_MAX)
        return;
    uint8_t *larger = realloc(heads->learnt, size);
    if (larger == NULL)
        return;
    heads->learnt = larger;
    struct buffer buffer = buffer_over(larger + heads->learnt_size, 4 + signed_head.size);
    buffer_u32(&buffer, (uint32_t)signed_head.size);
    buffer_put(&buffer, signed_head.data, signed_head.size);
    heads->learnt_size = size;
}

/* A head that was refused but is signed, or claims to be, is kept as proof and shown. */
static void roster_sync_keep_proof(struct roster_sync *heads, struct bytes signed_head, err reason)
{
    struct roster_row_bytes memory;
    if (roster_row_refused_is_here(runtime_store(heads->runtime), signed_head) ||
        heads->proof_count >= ROSTER_SYNC_PROOF_COUNT_MAX)
        return; /* whoever makes them up does not fill the disk, nor the log */
    heads->proof_count++;
    struct store_op op = roster_row_refused_put(signed_head, &memory);
    struct runtime_keep keep = {.ops = &op, .op_count = 1, .urgency = STORE_NORMAL};
    runtime_keep(heads->runtime, &keep);
    log_error(
        "head-refused", log_text("federation", runtime_name(heads->runtime)),
        log_err("why", reason),
        log_text("do",
                 "nothing: it is kept as evidence; ask the society's officers why it exists"));
}

/* The sender's chain left ours somewhere before this head. The distance doubles until a head comes
 * whose previous one is ours: then there are two at one epoch, and that is the proof. Asked by the
 * second, so that an answer of many frames is asked on once. */
static void roster_sync_go_back(struct roster_sync *heads, struct link_id link,
                                struct bytes signed_head)
{
    struct roster_head_signed claimed;
    struct roster_head head;
    const struct chain_link *last = chain_last(&runtime_roster(heads->runtime)->chain);
    if (roster_head_signed_read(signed_head, &claimed) != OK ||
        roster_head_read(claimed.body, &head) != OK || last == NULL || head.epoch > last->epoch + 1)
        return;
    uint64_t distance = last->epoch + 1 - head.epoch;
    uint64_t epoch = head.epoch > distance + 2 ? head.epoch - distance - 1 : 1;
    bool is_other = heads->back_epoch == 0 || heads->back_link.value != link.value;
    if (head.epoch <= 1 || (!is_other && epoch >= heads->back_epoch))
        return;
    heads->back_link = link;
    heads->back_epoch = epoch;
}

static void roster_sync_ask_back(struct roster_sync *heads)
{
    struct engine_peer peer;
    struct frame_heads_want want = {.epoch = heads->back_epoch - 1};
    uint8_t memory[64];
    struct buffer frame = buffer_over(memory, sizeof memory);
    for (uint32_t n = 0; engine_peer(runtime_engine(heads->runtime), n, &peer); n++) {
        if (peer.link.value == heads->back_link.value)
            want.base = peer.head; /* its content is not wanted */
    }
    heads->back_epoch = 0;
    frame_heads_want_write(&frame, &want);
    roster_sync_send(heads, heads->back_link, &frame);
}

static err roster_sync_take_healing(struct roster_sync *heads, bool is_news);

static void roster_sync_on_heads(struct roster_sync *heads, struct link_id link, struct bytes frame)
{
    bool is_news = false;
    struct reader reader;
    struct bytes signed_head;
    if (misbehavior_score_spent(&heads->misbehavior_score, link))
        return; /* it may bring them again later */
    err failure = frame_heads_open(frame, &reader);
    while (failure == OK) {
        failure = frame_head_read(&reader, &signed_head);
        if (failure != OK)
            break;
        failure = roster_learn(runtime_roster_change(heads->runtime), signed_head, runtime_wall());
        if (failure == OK)
            roster_sync_remember(heads, signed_head);
        else if (failure == ERR_FORKED &&
                 split_recovery_offer(&heads->split_recovery,
                                      &runtime_roster(heads->runtime)->chain, signed_head,
                                      &is_news))
            failure = roster_sync_take_healing(heads, is_news);
        else if (failure == ERR_FORKED || failure == ERR_THRESHOLD || failure == ERR_BAD_SIGNATURE)
            roster_sync_keep_proof(heads, signed_head, failure);
        else if (failure == ERR_OUT_OF_ORDER)
            roster_sync_go_back(heads, link, signed_head);
        if (failure == ERR_DUPLICATE)
            failure = OK;
    }
    /* its signatures were looked at, on the loop */
    if (failure == ERR_FORKED || failure == ERR_THRESHOLD || failure == ERR_BAD_SIGNATURE)
        misbehavior_score_add(&heads->misbehavior_score, link);
    if (failure != OK && failure != ERR_NOT_FOUND)
        log_warn("heads-refused", log_text("federation", runtime_name(heads->runtime)),
                 log_err("why", failure));
}

static void roster_sync_bar(struct roster_sync *heads, struct link_id link)
{
    heads->barred = link;
    heads->barred_until = heads->seconds + ROSTER_SYNC_BARRED_S;
}

/* ROSTER-58: one that gives nothing good must not stand in the way of those who would, nor begin
 * anew whatever they are giving. */
static bool roster_sync_may_begin(struct roster_sync *heads, struct link_id link)
{
    bool is_other = !heads->is_assembling || heads->from.value != link.value;
    if (heads->barred.value == link.value && heads->seconds < heads->barred_until)
        return false;
    if (heads->is_assembling && heads->seconds - heads->begun_at > ROSTER_SYNC_ASSEMBLY_S) {
        roster_sync_bar(heads, heads->from);
        heads->is_assembling = false;
        if (!is_other)
            return false;
    }
    if (heads->is_assembling && is_other)
        return false;
    if (is_other)
        heads->begun_at = heads->seconds;
    return true;
}

static void roster_sync_take(struct roster_sync *heads)
{
    struct runtime *runtime = heads->runtime;
    struct delta delta = delta_assembly_delta(&heads->assembly);
    err failure = roster_fill(runtime_roster_change(runtime), &delta);
    heads->is_assembling = false;
    if (failure == ERR_BAD_HASH)
        roster_sync_bar(heads, heads->from);
    if (failure == OK)
        failure = roster_sync_keep(runtime_store(runtime), runtime_roster(runtime),
                                   (struct bytes){heads->learnt, heads->learnt_size});
    if (failure != OK) {
        log_warn("roster-refused", log_text("federation", runtime_name(runtime)),
                 log_err("why", failure));
        return;
    }
    heads->learnt_size = 0;
    heads->seconds_behind = 0;
    log_info("roster-taken", log_text("federation", runtime_name(runtime)),
             log_count("epoch", roster_current_head(runtime_roster(runtime))->epoch),
             log_count("members", roster_count(runtime_roster(runtime))));
    runtime_roster_changed(runtime);
}

/* ROSTER-34: from here on its content is what we lack, and what it heals is behind us. */
static err roster_sync_follow_healing(struct roster_sync *heads)
{
    struct bytes head = {heads->split_recovery.head, heads->split_recovery.head_size};
    err failure = chain_heal(&runtime_roster_change(heads->runtime)->chain, head, runtime_wall());
    if (failure == OK)
        roster_sync_remember(heads, head);
    heads->split_recovery.head_size = 0;
    if (failure == OK && heads->has_healing_content &&
        ID_EQUAL(heads->assembly.head, heads->split_recovery.id))
        roster_sync_take(heads);
    heads->has_healing_content = false;
    heads->seconds_behind = ROSTER_SYNC_RETRY_S - 1; /* asked for in the next tick */
    log_warn("healing-followed", log_text("federation", runtime_name(heads->runtime)),
             log_count("epoch", heads->split_recovery.epoch), log_err("result", failure));
    return failure;
}

/* OK when it was followed, ERR_FORKED while it waits. */
static err roster_sync_take_healing(struct roster_sync *heads, bool is_news)
{
    if (split_recovery_is_confirmed(&heads->split_recovery))
        return roster_sync_follow_healing(heads);
    if (is_news)
        log_error("healing-waits", log_text("federation", runtime_name(heads->runtime)),
                  log_hex("head", ID_BYTES(heads->split_recovery.id)),
                  log_text("do", "have two officers read its fingerprint out, then: consilium "
                                 "roster heal --fingerprint DIGITS"));
    return ERR_FORKED;
}

err roster_sync_heal(struct roster_sync *heads, const char *fingerprint)
{
    err failure =
        split_recovery_confirm(&heads->split_recovery, runtime_store(heads->runtime), fingerprint);
    return failure == OK ? roster_sync_follow_healing(heads) : failure;
}

bool roster_sync_healing(const struct roster_sync *heads, struct head_id *ret_id,
                         uint64_t *ret_epoch)
{
    *ret_id = heads->split_recovery.id;
    *ret_epoch = heads->split_recovery.epoch;
    return heads->split_recovery.head_size > 0;
}

static void roster_sync_on_part(struct roster_sync *heads, struct link_id link, struct bytes frame)
{
    struct bytes bytes;
    struct delta_part part;
    const struct roster *roster = runtime_roster(heads->runtime);
    if (frame_roster_part_read(frame, &bytes) != OK || delta_part_read(bytes, &part) != OK)
        return;
    const struct chain_link *last = chain_last(&roster->chain);
    bool waits =
        heads->split_recovery.head_size > 0 && ID_EQUAL(heads->split_recovery.id, part.head);
    bool is_wanted = roster_is_behind(roster) && last != NULL && ID_EQUAL(last->id, part.head);
    if (!waits && !is_wanted)
        return;
    if (part.index == 0) {
        if (!roster_sync_may_begin(heads, link))
            return;
        heads->has_healing_content = false;
        size_t size = roster->plan.member_bytes + SETTINGS_SIZE_MAX +
                      (size_t)roster->plan.member_count * DELTA_ITEM_HEADER_SIZE + 65536;
        if (heads->assembly_memory == NULL)
            heads->assembly_memory = malloc(size);
        if (heads->assembly_memory == NULL)
            return;
        delta_assembly_begin(&heads->assembly, &part.head, &part.base, heads->assembly_memory,
                             size);
        heads->is_assembling = true;
        heads->from = link;
    }
    if (!heads->is_assembling || heads->from.value != link.value)
        return;
    err failure = delta_assembly_add(&heads->assembly, &part);
    if (failure != OK) {
        log_warn("roster-part-refused", log_text("federation", runtime_name(heads->runtime)),
                 log_err("why", failure));
        heads->is_assembling = false;
    } else if (heads->assembly.complete && waits) {
        heads->has_healing_content = true; /* until its head is followed */
        heads->is_assembling = false;
    } else if (heads->assembly.complete) {
        roster_sync_take(heads);
    }
}

void roster_sync_frame(struct roster_sync *heads, struct link_id link, struct bytes frame)
{
    if (frame.data[0] == FRAME_HEADS_WANT)
        roster_sync_on_want(heads, link, frame);
    else if (frame.data[0] == FRAME_HEADS)
        roster_sync_on_heads(heads, link, frame);
    else if (frame.data[0] == FRAME_ROSTER_PART)
        roster_sync_on_part(heads, link, frame);
}

void roster_sync_tick(struct roster_sync *heads)
{
    struct engine_peer peer;
    const struct roster *roster = runtime_roster(heads->runtime);
    heads->seconds++;
    misbehavior_score_tick(&heads->misbehavior_score);
    if (heads->back_epoch > 0)
        roster_sync_ask_back(heads);
    if (!roster_is_behind(roster) || chain_last(&roster->chain) == NULL) {
        heads->seconds_behind = 0;
        return;
    }
    /* asks one connected member after another until one gives the content */
    if (heads->seconds_behind++ % ROSTER_SYNC_RETRY_S != ROSTER_SYNC_RETRY_S - 1)
        return;
    uint32_t n = heads->seconds_behind / ROSTER_SYNC_RETRY_S;
    struct engine_status status;
    engine_status(runtime_engine(heads->runtime), &status);
    if (status.peer_count > 0 &&
        engine_peer(runtime_engine(heads->runtime), n % status.peer_count, &peer))
        roster_sync_ask(heads, peer.link);
}
