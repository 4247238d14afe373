#include "node/audit/audit_check.h"

#include <stdlib.h>

#include "node/audit/audit_heads.h"
#include "store/row_table.h"

enum audit_phase { AUDIT_HEADS, AUDIT_LOOK, AUDIT_CHAIN, AUDIT_DONE };

struct audit_check {
    struct runtime *runtime;
    struct audit_walk *walk;
    struct audit_heads *heads;
    enum audit_phase phase;
    uint64_t next; /* the entry to go on with */
    uint64_t last; /* the newest when they were looked at: what came later is not checked */
    uint64_t looked;
    uint64_t chained;
    unsigned step_count; /* entries of this step */
};

struct audit_check *audit_check_new(struct runtime *runtime)
{
    struct audit_check *check = calloc(1, sizeof *check);
    if (check == NULL)
        return NULL;
    check->runtime = runtime;
    check->walk = audit_walk_new();
    check->heads = audit_heads_new(runtime);
    if (check->walk != NULL && check->heads != NULL)
        return check;
    audit_check_free(check);
    return NULL;
}

void audit_check_free(struct audit_check *check)
{
    if (check == NULL)
        return;
    audit_walk_free(check->walk);
    audit_heads_free(check->heads);
    free(check);
}

static void audit_check_on_head(void *arg, const struct audit_evidence_audit_head *head,
                                struct wall time)
{
    struct audit_check *check = arg;
    (void)time;
    audit_walk_witness(check->walk, head->sequence, &head->hash);
}

/* False after the last entry of a step: it is looked at in the next one. */
static bool audit_check_has_room(struct audit_check *check)
{
    return check->step_count++ < AUDIT_STEP_ENTRY_MAX;
}

static bool audit_check_on_look(void *arg, const struct store_audit *entry)
{
    struct audit_check *check = arg;
    if (!audit_check_has_room(check))
        return false;
    audit_walk_look(check->walk, entry->entry);
    check->next = entry->number + 1;
    check->last = entry->number;
    check->looked++;
    return true;
}

static bool audit_check_on_chain(void *arg, const struct store_audit *entry)
{
    struct audit_check *check = arg;
    if (entry->number > check->last || !audit_check_has_room(check))
        return false;
    audit_walk_step(check->walk, entry->number, entry->entry);
    check->next = entry->number + 1;
    check->chained++;
    return true;
}

static err audit_check_entries(struct audit_check *check,
                               bool (*on_entry)(void *arg, const struct store_audit *entry))
{
    check->step_count = 0;
    err failure = row_table_audit(runtime_store(check->runtime), check->next, on_entry, check);
    if (failure == OK && check->step_count <= AUDIT_STEP_ENTRY_MAX) { /* the end was reached */
        check->phase++;
        check->next = 0;
    }
    return failure;
}

/* The heads come first: one that is written later names an entry that is not looked at either. */
err audit_check_step(struct audit_check *check, bool *ret_done)
{
    bool is_over = false;
    err failure = OK;
    switch (check->phase) {
    case AUDIT_HEADS:
        failure = audit_heads_next(check->heads, audit_check_on_head, check, &is_over);
        check->phase = is_over ? AUDIT_LOOK : AUDIT_HEADS;
        break;
    case AUDIT_LOOK:
        failure = audit_check_entries(check, audit_check_on_look);
        break;
    case AUDIT_CHAIN:
        failure = audit_check_entries(check, audit_check_on_chain);
        break;
    case AUDIT_DONE:
        break;
    }
    *ret_done = check->phase == AUDIT_DONE;
    return failure;
}

struct audit_progress audit_check_progress(const struct audit_check *check)
{
    struct audit_progress progress = {.done = (check->looked + check->chained) / 2};
    if (check->phase >= AUDIT_CHAIN)
        progress.all = check->looked;
    return progress;
}

struct audit_verdict audit_check_verdict(struct audit_check *check)
{
    return audit_walk_end(check->walk);
}
