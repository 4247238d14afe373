#include "node/runtime/completions.h"

#include <stdlib.h>

struct completion {
    struct completion *next;
    uint64_t token;
    bool is_settled; /* its result is known and told with the next errands_submit */
    err result;
    void (*on_done)(void *arg, err result);
    void *arg;
};

struct completions {
    struct completion *first;
    uint64_t last;
};

struct completions *completions_new(void)
{
    return calloc(1, sizeof(struct completions));
}

void completions_free(struct completions *completions)
{
    while (completions != NULL && completions->first != NULL)
        completions_settle(completions, completions->first->token, ERR_BUSY);
    free(completions);
}

uint64_t completions_add(struct completions *completions, void (*on_done)(void *arg, err result),
                         void *arg)
{
    struct completion *completion = calloc(1, sizeof *completion);
    if (completion == NULL)
        return 0;
    /* odd, so that none is ever taken for the address of a batch */
    completion->token = ++completions->last << 1 | 1;
    completion->on_done = on_done;
    completion->arg = arg;
    completion->next = completions->first;
    completions->first = completion;
    return completion->token;
}

static struct completion *completions_take(struct completions *completions, uint64_t token)
{
    struct completion **link = &completions->first;
    while (*link != NULL && (*link)->token != token)
        link = &(*link)->next;
    struct completion *completion = *link;
    if (completion != NULL)
        *link = completion->next;
    return completion;
}

void completions_forget(struct completions *completions, uint64_t token)
{
    free(completions_take(completions, token));
}

void completions_settle(struct completions *completions, uint64_t token, err result)
{
    struct completion *completion = completions_take(completions, token);
    if (completion != NULL && completion->on_done != NULL)
        completion->on_done(completion->arg, result);
    free(completion);
}

void completions_keep(struct completions *completions, struct store *store,
                      const struct runtime_keep *keep)
{
    uint64_t token = completions_add(completions, keep->on_done, keep->arg);
    err failure = token == 0 ? ERR_NO_MEMORY
                             : store_submit(store, keep->ops, keep->op_count, keep->urgency, token);
    if (failure == ERR_BUSY) /* 16 MiB wait already: this one is kept before we go on */
        failure = store_commit(store, keep->ops, keep->op_count, keep->urgency, NULL);
    else if (failure == OK)
        return;
    for (struct completion *completion = completions->first; completion != NULL;
         completion = completion->next) {
        if (completion->token == token) {
            completion->is_settled = true;
            completion->result = failure;
        }
    }
}

bool completions_tell(struct completions *completions)
{
    for (struct completion *completion = completions->first; completion != NULL;
         completion = completion->next) {
        if (completion->is_settled) {
            completions_settle(completions, completion->token, completion->result);
            return true;
        }
    }
    return false;
}
