#include "node/views/membership_proofs.h"

#include <stdlib.h>
#include <string.h>

#include "node/os/log.h"
#include "store/row_table.h"

enum {
    MEMBERSHIP_PROOFS_KNOWN_COUNT = 256,
    MEMBERSHIP_PROOFS_HEAD_SIZE = NODE_ID_SIZE + KEY_SIZE,
    MEMBERSHIP_PROOFS_ROW_SIZE = MEMBERSHIP_PROOFS_HEAD_SIZE + INCLUSION_SIZE_MAX,
};

/* What is kept already, so that a busy case does not write the same row again and again. */
struct membership_proofs_known {
    struct node_id node;
    struct head_id head;
};

struct membership_proofs {
    struct runtime *runtime;
    struct membership_proofs_known known[MEMBERSHIP_PROOFS_KNOWN_COUNT];
    size_t next;
};

struct membership_proofs_key {
    uint8_t memory[5 + MEMBERSHIP_PROOFS_HEAD_SIZE];
};

static struct bytes membership_proofs_row_key(struct membership_proofs_key *key,
                                              const struct node_id *node,
                                              const struct sign_key *sign_key)
{
    struct buffer out = buffer_over(key->memory, sizeof key->memory);
    buffer_put(&out, "proof", 5);
    buffer_put(&out, node->bytes, NODE_ID_SIZE);
    buffer_put(&out, sign_key->bytes, KEY_SIZE);
    return buffer_bytes(&out);
}

static bool membership_proofs_is_known(struct membership_proofs *proofs, const struct node_id *node,
                                       const struct head_id *head)
{
    for (size_t i = 0; i < MEMBERSHIP_PROOFS_KNOWN_COUNT; i++) {
        if (ID_EQUAL(proofs->known[i].node, *node))
            return ID_EQUAL(proofs->known[i].head, *head);
    }
    return false;
}

static void membership_proofs_remember(struct membership_proofs *proofs, const struct node_id *node,
                                       const struct head_id *head)
{
    size_t place = 0;
    while (place < MEMBERSHIP_PROOFS_KNOWN_COUNT && !ID_EQUAL(proofs->known[place].node, *node))
        place++;
    if (place == MEMBERSHIP_PROOFS_KNOWN_COUNT)
        place = proofs->next++ % MEMBERSHIP_PROOFS_KNOWN_COUNT;
    proofs->known[place] = (struct membership_proofs_known){*node, *head};
}

static void membership_proofs_on_kept(void *arg, err result)
{
    (void)arg;
    if (result != OK)
        log_warn("proof-not-kept", log_err("why", result));
}

static void membership_proofs_keep(struct membership_proofs *proofs, const struct node_id *node)
{
    const struct roster *roster = runtime_roster(proofs->runtime);
    const struct roster_entry *entry = roster_find(roster, node);
    struct head_id head = roster_current_id(roster);
    if (entry == NULL || entry->state != MEMBER_ADMITTED ||
        membership_proofs_is_known(proofs, node, &head))
        return;
    uint8_t memory[MEMBERSHIP_PROOFS_ROW_SIZE];
    struct membership_proofs_key key;
    struct buffer row = buffer_over(memory, sizeof memory);
    buffer_put(&row, node->bytes, NODE_ID_SIZE);
    buffer_put(&row, entry->sign_key.bytes, KEY_SIZE);
    if (inclusion_write(roster, node, &row) != OK || row.failed)
        return;
    struct store_op op = {.kind = STORE_ROW_PUT,
                          .row = {.table = STORE_TABLE_MEMBER,
                                  .key = membership_proofs_row_key(&key, node, &entry->sign_key),
                                  .value = buffer_bytes(&row)}};
    struct runtime_keep keep = {.ops = &op, .op_count = 1, .on_done = membership_proofs_on_kept};
    runtime_keep(proofs->runtime, &keep);
    membership_proofs_remember(proofs, node, &head);
}

static void membership_proofs_on_news(void *arg, const struct runtime_news *news)
{
    if (news->scope.kind == SCOPE_CASE || news->kind == KIND_CERTIFICATE)
        membership_proofs_keep(arg, &news->writer);
}

struct membership_proofs *membership_proofs_new(struct runtime *runtime)
{
    struct membership_proofs *proofs = calloc(1, sizeof *proofs);
    if (proofs == NULL)
        return NULL;
    proofs->runtime = runtime;
    runtime_listen(runtime, membership_proofs_on_news, proofs);
    return proofs;
}

void membership_proofs_free(struct membership_proofs *proofs)
{
    free(proofs);
}

/* ---- finding the one that fits ---- */

struct membership_proofs_search {
    const struct record_claim *claim;
    struct buffer *out;
    bool is_found;
};

static bool membership_proofs_on_row(void *arg, const struct store_row *row)
{
    struct membership_proofs_search *search = arg;
    struct reader reader = reader_of(row->value);
    struct node_id node;
    struct sign_key key;
    reader_copy(&reader, node.bytes, NODE_ID_SIZE);
    reader_copy(&reader, key.bytes, KEY_SIZE);
    struct bytes proof = reader_take(&reader, reader_left(&reader));
    if (reader.failed || !ID_EQUAL(node, search->claim->header.stream.writer) ||
        record_verify(search->claim, &key) != OK)
        return true;
    buffer_put(search->out, proof.data, proof.size);
    search->is_found = true;
    return false;
}

err membership_proofs_find(struct membership_proofs *proofs, const struct record_claim *claim,
                           struct buffer *out)
{
    const struct roster *roster = runtime_roster(proofs->runtime);
    const struct node_id *writer = &claim->header.stream.writer;
    const struct roster_entry *entry = roster_find(roster, writer);
    struct membership_proofs_search search = {.claim = claim, .out = out};
    if (entry != NULL && entry->state == MEMBER_ADMITTED &&
        record_verify(claim, &entry->sign_key) == OK)
        return inclusion_write(roster, writer, out);
    err failure = row_table_scan(runtime_store(proofs->runtime), STORE_TABLE_MEMBER,
                                 membership_proofs_on_row, &search);
    if (failure == OK && !search.is_found)
        failure = ERR_NOT_FOUND;
    return failure;
}
