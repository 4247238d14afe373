#include "node/audit/audit.h"

#include <stdlib.h>
#include <string.h>

#include "node/audit/audit_heads.h"
#include "node/os/log.h"
#include "protocol/base/hash.h"
#include "protocol/record/audit_evidence.h"
#include "protocol/record/statement.h"
#include "store/row_table.h"

enum { AUDIT_WAITING_COUNT_MAX = 4096, AUDIT_DAY_MS = 24 * 60 * 60 * 1000 };

/* An entry that was handed to the store and not settled yet, or one that was refused and waits to
 * be written again. */
struct audit_pending {
    struct audit_pending *next;
    uint64_t number;
    struct hash hash;
    struct hash previous;
    bool is_refused;
    size_t size;
    uint8_t bytes[AUDIT_ENTRY_SIZE_MAX];
};

struct audit {
    struct runtime *runtime;
    uint64_t number; /* of the last staged entry */
    struct hash hash;
    uint64_t head_number; /* of the last AUDIT_HEAD, written or under way */
    struct wall head_time;
    bool is_head_under_way;
    struct audit_pending *first;
    struct audit_noting *again; /* facts that the disk had no room for: tried each second */
    size_t waiting_count;
    uint8_t staged[AUDIT_ENTRY_SIZE_MAX + AUDIT_ENTRY_SIZE_MAX];
};

/* ---- writing ---- */

static void audit_put(struct audit *audit, const struct audit_fact *fact, struct bytes lost,
                      struct store_op *ret_op)
{
    struct audit_entry entry = {.number = audit->number + 1,
                                .previous = audit->hash,
                                .time = runtime_wall(),
                                .fact = *fact,
                                .lost = lost};
    struct buffer out = buffer_over(audit->staged, sizeof audit->staged);
    if (audit_entry_write(&entry, &out) != OK) { /* a text of others that may not stand there */
        entry.fact.login = entry.fact.note = BYTES_NONE;
        out.size = 0;
        out.failed = false;
        if (audit_entry_write(&entry, &out) != OK)
            abort(); /* ours alone: broken */
    }
    struct audit_pending *pending = calloc(1, sizeof *pending);
    if (pending == NULL)
        abort(); /* an action without its entry must not happen */
    pending->number = entry.number;
    pending->previous = entry.previous;
    pending->hash = hash_one(CONTEXT_AUDIT, buffer_bytes(&out));
    if (out.size <= sizeof pending->bytes) { /* an AUDIT_REFUSED entry is not nested again */
        pending->size = out.size;
        memcpy(pending->bytes, out.data, out.size);
    }
    pending->next = audit->first;
    audit->first = pending;
    audit->number = entry.number;
    audit->hash = pending->hash;
    *ret_op = (struct store_op){.kind = STORE_AUDIT, .audit = {entry.number, buffer_bytes(&out)}};
}

void audit_stage(struct audit *audit, const struct audit_fact *fact, struct store_op *ret_op)
{
    audit_put(audit, fact, BYTES_NONE, ret_op);
}

void audit_settle(struct audit *audit, uint64_t number, err result)
{
    struct audit_pending **link = &audit->first;
    while (*link != NULL && (*link)->number != number)
        link = &(*link)->next;
    struct audit_pending *pending = *link;
    if (pending == NULL)
        return;
    if (result != OK && number != audit->number) {
        pending->is_refused = true; /* later ones name it: it must be told */
        return;
    }
    if (result != OK) {
        audit->number = pending->number - 1;
        audit->hash = pending->previous;
    }
    *link = pending->next;
    free(pending);
}

/* ---- facts that need no other batch ---- */

struct audit_noting {
    struct audit *audit;
    uint64_t number;
    struct audit_noting *next;
    struct audit_fact fact;
    char login[AUDIT_LOGIN_SIZE_MAX];
    char note[AUDIT_NOTE_SIZE_MAX];
};

static void audit_on_noted(void *arg, err result)
{
    struct audit_noting *noting = arg;
    struct audit *audit = noting->audit;
    bool is_last = noting->number == audit->number;
    audit_settle(audit, noting->number, result);
    if (result != OK && is_last) {
        noting->next = audit->again;
        audit->again = noting;
        return;
    }
    audit->waiting_count--;
    free(noting);
}

static void audit_note_try(struct audit_noting *noting)
{
    struct store_op op;
    audit_stage(noting->audit, &noting->fact, &op);
    noting->number = op.audit.number;
    struct runtime_keep keep = {.ops = &op,
                                .op_count = 1,
                                .urgency = STORE_RELEASING,
                                .on_done = audit_on_noted,
                                .arg = noting};
    runtime_keep(noting->audit->runtime, &keep);
}

static struct bytes audit_copy(struct bytes text, char *room, size_t size_max)
{
    size_t size = text.size < size_max ? text.size : size_max;
    if (size > 0)
        memcpy(room, text.data, size);
    return (struct bytes){(const uint8_t *)room, size};
}

void audit_note(struct audit *audit, const struct audit_fact *fact)
{
    struct audit_noting *noting =
        audit->waiting_count < AUDIT_WAITING_COUNT_MAX ? calloc(1, sizeof *noting) : NULL;
    if (noting == NULL) {
        log_error("audit-entry-lost",
                  log_text("what", content_code_name(&audit_entry_whats, fact->what)),
                  log_text("why", "too many entries wait"),
                  log_text("do", "free space on the disk, then read what happened from the log"));
        return;
    }
    noting->audit = audit;
    noting->fact = *fact;
    noting->fact.login = audit_copy(fact->login, noting->login, sizeof noting->login);
    noting->fact.note = audit_copy(fact->note, noting->note, sizeof noting->note);
    audit->waiting_count++;
    audit_note_try(noting);
}

/* ---- as time goes by ---- */

struct audit_telling {
    struct audit *audit;
    struct audit_pending *refused;
    uint64_t number;
};

static void audit_on_told(void *arg, err result)
{
    struct audit_telling *telling = arg;
    struct audit *audit = telling->audit;
    bool is_last = telling->number == audit->number;
    audit_settle(audit, telling->number, result);
    if (result != OK && is_last) {
        telling->refused->next = audit->first;
        audit->first = telling->refused;
        telling->refused = NULL;
    } else if (result != OK) {
        log_error("audit-entry-lost", log_count("number", telling->refused->number),
                  log_text("why", "the store refused it twice"),
                  log_text("do", "check the disk; `consilium audit verify` names the gap"));
    }
    free(telling->refused);
    free(telling);
}

/* Entries that were refused while later ones, which name them, were kept. */
static void audit_tell_refused(struct audit *audit)
{
    struct audit_pending **link = &audit->first;
    while (*link != NULL && !((*link)->is_refused && (*link)->size > 0))
        link = &(*link)->next;
    struct audit_telling *telling = *link == NULL ? NULL : calloc(1, sizeof *telling);
    if (telling == NULL)
        return;
    *telling = (struct audit_telling){.audit = audit, .refused = *link};
    *link = telling->refused->next;
    struct audit_fact fact = {.what = AUDIT_REFUSED};
    struct store_op op;
    audit_put(audit, &fact, (struct bytes){telling->refused->bytes, telling->refused->size}, &op);
    telling->number = op.audit.number;
    struct runtime_keep keep = {.ops = &op,
                                .op_count = 1,
                                .urgency = STORE_RELEASING,
                                .on_done = audit_on_told,
                                .arg = telling};
    runtime_keep(audit->runtime, &keep);
}

static void audit_try_again(struct audit *audit)
{
    struct audit_noting *again = audit->again;
    audit->again = NULL;
    while (again != NULL) {
        struct audit_noting *noting = again;
        again = noting->next;
        audit_note_try(noting);
    }
}

static void audit_on_head(void *arg, const struct runtime_done *done)
{
    struct audit *audit = arg;
    audit->is_head_under_way = false;
    if (done->verdict != OK)
        log_debug("audit-head-waits", log_err("why", done->verdict));
    else
        audit->head_time = runtime_wall();
}

static void audit_post_head(struct audit *audit)
{
    uint8_t content_memory[128], body_memory[256];
    struct buffer content = buffer_over(content_memory, sizeof content_memory);
    struct buffer body = buffer_over(body_memory, sizeof body_memory);
    struct audit_evidence_audit_head head = {audit->number, audit->hash};
    struct statement statement = {.kind = KIND_AUDIT_HEAD};
    if (audit_evidence_audit_head_write(&head, &content) != OK)
        return;
    statement.content = buffer_bytes(&content);
    if (statement_write(&statement, &body) != OK)
        return;
    struct runtime_post post = {
        .scope = scope_federation(), .audience = AUDIENCE_CLEAR, .plaintext = buffer_bytes(&body)};
    audit->is_head_under_way = true;
    audit->head_number = audit->number;
    runtime_post(audit->runtime, &post, audit_on_head, audit);
}

void audit_tick(struct audit *audit)
{
    if (audit == NULL)
        return;
    audit_tell_refused(audit);
    audit_try_again(audit);
    uint64_t since = audit->number - audit->head_number;
    uint64_t now_ms = runtime_wall().ms;
    bool is_day_over = audit->head_time.ms + AUDIT_DAY_MS <= now_ms ||
                       audit->head_time.ms > now_ms + CLOCK_SKEW_MS_MAX; /* of a fast clock */
    /* only what is durable is witnessed */
    if (audit->first == NULL && !audit->is_head_under_way && since > 0 &&
        (since >= AUDIT_HEAD_EVERY || is_day_over))
        audit_post_head(audit);
}

/* ---- reading ---- */

static bool audit_on_last(void *arg, const struct store_audit *entry)
{
    struct audit *audit = arg;
    audit->number = entry->number;
    audit->hash = hash_one(CONTEXT_AUDIT, entry->entry);
    return true;
}

/* All audit heads in this institution's federation stream, in order. */
static err audit_scan_heads(struct audit *audit,
                            void (*on_head)(void *arg, const struct audit_evidence_audit_head *head,
                                            struct wall time))
{
    struct audit_heads *heads = audit_heads_new(audit->runtime);
    bool is_done = false;
    err failure = heads == NULL ? ERR_NO_MEMORY : OK;
    while (failure == OK && !is_done)
        failure = audit_heads_next(heads, on_head, audit, &is_done);
    audit_heads_free(heads);
    return failure;
}

static void audit_on_own_head(void *arg, const struct audit_evidence_audit_head *head,
                              struct wall time)
{
    struct audit *audit = arg;
    audit->head_number = head->sequence <= audit->number ? head->sequence : audit->number;
    audit->head_time = time;
}

err audit_open(struct runtime *runtime, struct audit **ret_audit)
{
    struct audit *audit = calloc(1, sizeof *audit);
    if (audit == NULL)
        return ERR_NO_MEMORY;
    audit->runtime = runtime;
    err failure = row_table_audit(runtime_store(runtime), 0, audit_on_last, audit);
    if (failure == OK)
        failure = audit_scan_heads(audit, audit_on_own_head);
    if (failure != OK) {
        free(audit);
        return failure;
    }
    *ret_audit = audit;
    return OK;
}

void audit_close(struct audit *audit)
{
    while (audit != NULL && audit->first != NULL) {
        struct audit_pending *pending = audit->first;
        audit->first = pending->next;
        free(pending);
    }
    while (audit != NULL && audit->again != NULL) {
        struct audit_noting *noting = audit->again;
        audit->again = noting->next;
        free(noting);
    }
    free(audit);
}
