#include "node/federation/heads.h"

#include <stdlib.h>
#include <string.h>

#include "node/federation/healing.h"
#include "node/federation/refusals.h"
#include "node/federation/shell_state.h"
#include "node/io/log.h"
#include "protocol/link/frame.h"
#include "protocol/roster/roster_export.h"
#include "protocol/roster/roster_snapshot.h"
#include "store/row_table.h"

enum {
    HEADS_ROW_SIZE = 200 * 1024, /* a piece of the export, within a row's limit */
    HEADS_RETRY_S = 5,
    HEADS_ASSEMBLY_S = 60, /* so long nobody else may begin */
    HEADS_BARRED_S = 60,
    HEADS_UNSENT_MAX = 256 * 1024, /* what a link has to take before it is answered again */
    HEADS_KEEP_SIZE_MAX = 1024 * 1024,
    HEADS_PROOF_COUNT_MAX = 64, /* since the start */
    HEADS_PROOF = 'p',          /* HEAD rows: 'p' and a hash of the refused head */
};

/* What is being received. One delta at a time, from whoever answers first. */
struct heads {
    struct shell *shell;
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
    struct healing healing;
    struct refusals refusals;
    bool has_healing_content; /* `assembly` holds the whole of it */
    unsigned proof_count;     /* kept since the start */
    uint32_t refused_count;   /* and by earlier runs */
    struct link_id back_link; /* whose heads do not continue ours: asked from further back */
    uint64_t back_epoch;      /* 0: nobody is asked */
};

struct heads *heads_new(struct shell *shell)
{
    struct heads *heads = calloc(1, sizeof *heads);
    if (heads != NULL)
        heads->shell = shell;
    return heads;
}

void heads_free(struct heads *heads)
{
    if (heads == NULL)
        return;
    free(heads->learnt);
    free(heads->assembly_memory);
    free(heads);
}

uint32_t heads_refused(const struct heads *heads)
{
    return heads->refused_count + heads->proof_count;
}

/* ---- in the store ---- */

struct heads_key {
    uint8_t memory[9];
};

/* HEAD rows: 'h' and the epoch; ROSTER rows: 'x' and the piece's number. */
static struct bytes heads_row_key(struct heads_key *key, char what, uint64_t number)
{
    struct buffer buffer = buffer_over(key->memory, sizeof key->memory);
    buffer_u8(&buffer, (uint8_t)what);
    buffer_u64(&buffer, number);
    return buffer_bytes(&buffer);
}

static err heads_load_export(struct store *store, uint8_t **ret_all, size_t *ret_size)
{
    struct heads_key key;
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
        failure = row_table_get(store, STORE_TABLE_ROSTER, heads_row_key(&key, 'x', piece), &row);
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

err heads_restore(struct store *store, struct roster *roster)
{
    uint8_t *all;
    size_t size;
    err failure = heads_load_export(store, &all, &size);
    if (failure != OK)
        return failure;
    failure = roster_export_read(roster, (struct bytes){all, size});
    free(all);
    return failure;
}

/* One row for each head; its epoch is read from it. */
static err heads_ops_of_heads(struct bytes heads, struct store_op *ops, struct heads_key *keys,
                              size_t *count)
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
        ops[*count] = (struct store_op){.kind = STORE_ROW_PUT};
        ops[*count].row.table = STORE_TABLE_HEAD;
        ops[*count].row.key = heads_row_key(&keys[*count], 'h', head.epoch);
        ops[*count].row.value = bytes;
        (*count)++;
    }
    return OK;
}

err heads_keep(struct store *store, const struct roster *roster, struct bytes heads)
{
    size_t size = roster_export_size(roster);
    uint8_t *all = malloc(size + 1);
    struct store_op *ops = calloc(STORE_BATCH_OP_MAX, sizeof *ops);
    struct heads_key *keys = calloc(STORE_BATCH_OP_MAX, sizeof *keys);
    size_t count = 0;
    err failure = all == NULL || ops == NULL || keys == NULL ? ERR_NO_MEMORY : OK;
    if (failure == OK)
        failure = heads_ops_of_heads(heads, ops, keys, &count);
    if (failure != OK)
        goto done;
    struct buffer export = buffer_over(all, size);
    roster_export_write(roster, &export);
    uint64_t piece = 0;
    for (size_t offset = 0; offset <= size && count < STORE_BATCH_OP_MAX;) {
        size_t left = size - offset;
        size_t taken = left > HEADS_ROW_SIZE ? HEADS_ROW_SIZE : left;
        ops[count] = (struct store_op){.kind = STORE_ROW_PUT};
        ops[count].row.table = STORE_TABLE_ROSTER;
        ops[count].row.key = heads_row_key(&keys[count], 'x', piece++);
        ops[count++].row.value = (struct bytes){all + offset, taken};
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

static bool heads_count_proof(void *arg, const struct store_row *row)
{
    struct heads *heads = arg;
    heads->refused_count += row->key.size > 0 && row->key.data[0] == HEADS_PROOF;
    return true;
}

err heads_open(struct heads *heads)
{
    err failure = healing_open(&heads->healing, heads->shell->store);
    return failure != OK
               ? failure
               : row_table_scan(heads->shell->store, STORE_TABLE_HEAD, heads_count_proof, heads);
}

err heads_read(struct store *store, uint64_t epoch, struct buffer *ret_signed_head)
{
    struct heads_key key;
    return row_table_get(store, STORE_TABLE_HEAD, heads_row_key(&key, 'h', epoch), ret_signed_head);
}

/* ---- answering ---- */

static void heads_send(struct heads *heads, struct link_id link, const struct buffer *frame)
{
    shell_send_frame(heads->shell, link, buffer_bytes(frame));
}

/* ROSTER-36: the epochs of our heads above `since`, following `previous` from the last one down:
 * what a healing left behind is nobody's way forward. Returns how many, descending; 0 when one
 * cannot be read. */
static uint32_t heads_path(struct heads *heads, uint64_t since, uint64_t *ret_epochs)
{
    const struct chain *chain = &heads->shell->roster.chain;
    const struct chain_link *link = chain_last(chain);
    uint32_t count = 0;
    while (link != NULL && link->epoch > since) {
        struct roster_head_signed signed_head;
        struct roster_head head;
        uint8_t memory[HEAD_SIZE_MAX];
        struct buffer row = buffer_over(memory, sizeof memory);
        err failure = heads_read(heads->shell->store, link->epoch, &row);
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

static void heads_answer_heads(struct heads *heads, struct link_id link, uint64_t since)
{
    uint8_t memory[FRAME_SIZE_MAX], row_memory[HEAD_SIZE_MAX];
    struct buffer frame = buffer_over(memory, sizeof memory);
    uint64_t *epochs = calloc((size_t)heads->shell->roster.chain.count + 1, sizeof *epochs);
    uint32_t count = epochs == NULL ? 0 : heads_path(heads, since, epochs);
    frame_heads_begin(&frame);
    while (count > 0) {
        struct buffer row = buffer_over(row_memory, sizeof row_memory);
        if (heads_read(heads->shell->store, epochs[--count], &row) != OK)
            break;
        if (!frame_head_write(&frame, buffer_bytes(&row))) {
            heads_send(heads, link, &frame);
            frame = buffer_over(memory, sizeof memory);
            frame_heads_begin(&frame);
            (void)frame_head_write(&frame, buffer_bytes(&row));
        }
    }
    free(epochs);
    if (frame.data[1] > 0)
        heads_send(heads, link, &frame);
}

static void heads_answer_content(struct heads *heads, struct link_id link)
{
    const struct roster *roster = &heads->shell->roster;
    struct roster_cursor cursor = {0};
    bool is_last = false;
    while (!is_last) {
        uint8_t memory[FRAME_SIZE_MAX], part_memory[DELTA_PART_SIZE_MAX];
        struct buffer part = buffer_over(part_memory, sizeof part_memory);
        struct buffer frame = buffer_over(memory, sizeof memory);
        is_last = roster_snapshot_part(roster, &cursor, &part);
        frame_roster_part_write(&frame, buffer_bytes(&part));
        heads_send(heads, link, &frame);
    }
}

static void heads_on_want(struct heads *heads, struct link_id link, struct bytes frame)
{
    struct frame_heads_want want;
    const struct roster *roster = &heads->shell->roster;
    if (frame_heads_want_read(frame, &want) != OK || roster_current_head(roster) == NULL ||
        roster_is_behind(roster) || shell_unsent(heads->shell, link) > HEADS_UNSENT_MAX)
        return; /* ROSTER-59: it asks again */
    heads_answer_heads(heads, link, want.epoch);
    struct head_id current = roster_current_id(roster);
    if (!ID_EQUAL(want.base, current))
        heads_answer_content(heads, link);
}

/* ---- receiving ---- */

void heads_ask(struct heads *heads, struct link_id link)
{
    const struct roster *roster = &heads->shell->roster;
    const struct chain_link *last = chain_last(&roster->chain);
    struct frame_heads_want want = {.epoch = last == NULL ? 0 : last->epoch};
    uint8_t memory[64];
    struct buffer frame = buffer_over(memory, sizeof memory);
    if (roster_current_head(roster) != NULL)
        want.base = roster_current_id(roster);
    frame_heads_want_write(&frame, &want);
    heads_send(heads, link, &frame);
}

static void heads_remember(struct heads *heads, struct bytes signed_head)
{
    size_t size = heads->learnt_size + 4 + signed_head.size;
    if (size > HEADS_KEEP_SIZE_MAX)
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
static void heads_keep_proof(struct heads *heads, struct bytes signed_head, err reason)
{
    struct hash hash = hash_one(CONTEXT_HEAD, signed_head);
    uint8_t memory[1 + HASH_SIZE];
    struct buffer key = buffer_over(memory, sizeof memory);
    buffer_u8(&key, HEADS_PROOF);
    buffer_put(&key, hash.bytes, HASH_SIZE);
    uint8_t kept_memory[HEAD_SIZE_MAX];
    struct buffer kept = buffer_over(kept_memory, sizeof kept_memory);
    bool is_kept =
        row_table_get(heads->shell->store, STORE_TABLE_HEAD, buffer_bytes(&key), &kept) == OK;
    if (is_kept || heads->proof_count >= HEADS_PROOF_COUNT_MAX)
        return; /* whoever makes them up does not fill the disk, nor the log */
    heads->proof_count++;
    struct store_op op = {.kind = STORE_ROW_PUT};
    op.row = (struct store_row){STORE_TABLE_HEAD, buffer_bytes(&key), signed_head};
    struct shell_keep keep = {.ops = &op, .op_count = 1, .urgency = STORE_NORMAL};
    shell_keep(heads->shell, &keep);
    log_error("head-refused", log_text("federation", heads->shell->name), log_err("why", reason),
              log_text("do", "kept as proof; ask the society's officers"));
}

/* The sender's chain left ours somewhere before this head. The distance doubles until a head comes
 * whose previous one is ours: then there are two at one epoch, and that is the proof. Asked by the
 * second, so that an answer of many frames is asked on once. */
static void heads_go_back(struct heads *heads, struct link_id link, struct bytes signed_head)
{
    struct roster_head_signed claimed;
    struct roster_head head;
    const struct chain_link *last = chain_last(&heads->shell->roster.chain);
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

static void heads_ask_back(struct heads *heads)
{
    struct core_peer peer;
    struct frame_heads_want want = {.epoch = heads->back_epoch - 1};
    uint8_t memory[64];
    struct buffer frame = buffer_over(memory, sizeof memory);
    for (uint32_t n = 0; core_peer(heads->shell->core, n, &peer); n++) {
        if (peer.link.value == heads->back_link.value)
            want.base = peer.head; /* its content is not wanted */
    }
    heads->back_epoch = 0;
    frame_heads_want_write(&frame, &want);
    heads_send(heads, heads->back_link, &frame);
}

static err heads_take_healing(struct heads *heads, bool is_news);

static void heads_on_heads(struct heads *heads, struct link_id link, struct bytes frame)
{
    bool is_news = false;
    struct reader reader;
    struct bytes signed_head;
    if (refusals_spent(&heads->refusals, link))
        return; /* it may bring them again later */
    err failure = frame_heads_open(frame, &reader);
    while (failure == OK) {
        failure = frame_head_read(&reader, &signed_head);
        if (failure != OK)
            break;
        failure = roster_learn(&heads->shell->roster, signed_head, shell_wall());
        if (failure == OK)
            heads_remember(heads, signed_head);
        else if (failure == ERR_FORKED &&
                 healing_offer(&heads->healing, &heads->shell->roster.chain, signed_head, &is_news))
            failure = heads_take_healing(heads, is_news);
        else if (failure == ERR_FORKED || failure == ERR_THRESHOLD || failure == ERR_BAD_SIGNATURE)
            heads_keep_proof(heads, signed_head, failure);
        else if (failure == ERR_OUT_OF_ORDER)
            heads_go_back(heads, link, signed_head);
        if (failure == ERR_DUPLICATE)
            failure = OK;
    }
    /* its signatures were looked at, on the loop */
    if (failure == ERR_FORKED || failure == ERR_THRESHOLD || failure == ERR_BAD_SIGNATURE)
        refusals_add(&heads->refusals, link);
    if (failure != OK && failure != ERR_NOT_FOUND)
        log_warn("heads-refused", log_err("why", failure));
}

static void heads_bar(struct heads *heads, struct link_id link)
{
    heads->barred = link;
    heads->barred_until = heads->seconds + HEADS_BARRED_S;
}

/* ROSTER-58: one that gives nothing good must not stand in the way of those who would, nor begin
 * anew whatever they are giving. */
static bool heads_may_begin(struct heads *heads, struct link_id link)
{
    bool is_other = !heads->is_assembling || heads->from.value != link.value;
    if (heads->barred.value == link.value && heads->seconds < heads->barred_until)
        return false;
    if (heads->is_assembling && heads->seconds - heads->begun_at > HEADS_ASSEMBLY_S) {
        heads_bar(heads, heads->from);
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

static void heads_take(struct heads *heads)
{
    struct shell *shell = heads->shell;
    struct delta delta = delta_assembly_delta(&heads->assembly);
    err failure = roster_fill(&shell->roster, &delta);
    heads->is_assembling = false;
    if (failure == ERR_BAD_HASH)
        heads_bar(heads, heads->from);
    if (failure == OK)
        failure = heads_keep(shell->store, &shell->roster,
                             (struct bytes){heads->learnt, heads->learnt_size});
    if (failure != OK) {
        log_warn("roster-refused", log_text("federation", shell->name), log_err("why", failure));
        return;
    }
    heads->learnt_size = 0;
    heads->seconds_behind = 0;
    log_info("roster-taken", log_text("federation", shell->name),
             log_count("epoch", roster_current_head(&shell->roster)->epoch),
             log_count("members", roster_count(&shell->roster)));
    shell_roster_changed(shell);
}

/* ROSTER-34: from here on its content is what we lack, and what it heals is behind us. */
static err heads_follow_healing(struct heads *heads)
{
    struct bytes head = {heads->healing.head, heads->healing.head_size};
    err failure = chain_heal(&heads->shell->roster.chain, head, shell_wall());
    if (failure == OK)
        heads_remember(heads, head);
    heads->healing.head_size = 0;
    if (failure == OK && heads->has_healing_content &&
        ID_EQUAL(heads->assembly.head, heads->healing.id))
        heads_take(heads);
    heads->has_healing_content = false;
    heads->seconds_behind = HEADS_RETRY_S - 1; /* asked for in the next tick */
    log_warn("healing-followed", log_text("federation", heads->shell->name),
             log_count("epoch", heads->healing.epoch), log_err("result", failure));
    return failure;
}

/* OK when it was followed, ERR_FORKED while it waits. */
static err heads_take_healing(struct heads *heads, bool is_news)
{
    if (healing_is_confirmed(&heads->healing))
        return heads_follow_healing(heads);
    if (is_news)
        log_error("healing-waits", log_text("federation", heads->shell->name),
                  log_hex("head", ID_BYTES(heads->healing.id)),
                  log_text("do", "have two officers read its fingerprint out, then: consilium "
                                 "roster heal --fingerprint DIGITS"));
    return ERR_FORKED;
}

err heads_heal(struct heads *heads, const char *fingerprint)
{
    err failure = healing_confirm(&heads->healing, heads->shell->store, fingerprint);
    return failure == OK ? heads_follow_healing(heads) : failure;
}

bool heads_healing(const struct heads *heads, struct head_id *ret_id, uint64_t *ret_epoch)
{
    *ret_id = heads->healing.id;
    *ret_epoch = heads->healing.epoch;
    return heads->healing.head_size > 0;
}

static void heads_on_part(struct heads *heads, struct link_id link, struct bytes frame)
{
    struct bytes bytes;
    struct delta_part part;
    struct roster *roster = &heads->shell->roster;
    if (frame_roster_part_read(frame, &bytes) != OK || delta_part_read(bytes, &part) != OK)
        return;
    const struct chain_link *last = chain_last(&roster->chain);
    bool waits = heads->healing.head_size > 0 && ID_EQUAL(heads->healing.id, part.head);
    bool is_wanted = roster_is_behind(roster) && last != NULL && ID_EQUAL(last->id, part.head);
    if (!waits && !is_wanted)
        return;
    if (part.index == 0) {
        if (!heads_may_begin(heads, link))
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
        log_warn("roster-part-refused", log_err("why", failure));
        heads->is_assembling = false;
    } else if (heads->assembly.complete && waits) {
        heads->has_healing_content = true; /* until its head is followed */
        heads->is_assembling = false;
    } else if (heads->assembly.complete) {
        heads_take(heads);
    }
}

void heads_frame(struct heads *heads, struct link_id link, struct bytes frame)
{
    if (frame.data[0] == FRAME_HEADS_WANT)
        heads_on_want(heads, link, frame);
    else if (frame.data[0] == FRAME_HEADS)
        heads_on_heads(heads, link, frame);
    else if (frame.data[0] == FRAME_ROSTER_PART)
        heads_on_part(heads, link, frame);
}

void heads_tick(struct heads *heads)
{
    struct core_peer peer;
    const struct roster *roster = &heads->shell->roster;
    heads->seconds++;
    refusals_tick(&heads->refusals);
    if (heads->back_epoch > 0)
        heads_ask_back(heads);
    if (!roster_is_behind(roster) || chain_last(&roster->chain) == NULL) {
        heads->seconds_behind = 0;
        return;
    }
    /* asks one connected member after another until one gives the content */
    if (heads->seconds_behind++ % HEADS_RETRY_S != HEADS_RETRY_S - 1)
        return;
    uint32_t n = heads->seconds_behind / HEADS_RETRY_S;
    struct core_status status;
    core_status(heads->shell->core, &status);
    if (status.peer_count > 0 && core_peer(heads->shell->core, n % status.peer_count, &peer))
        heads_ask(heads, peer.link);
}
