#include "node/federation/errands.h"

#include <stdlib.h>

struct errand {
    struct errand *next;
    uint64_t token;
    bool is_settled; /* its result is known and told with the next errands_submit */
    err result;
    void (*on_done)(void *arg, err result);
    void *arg;
};

struct errands {
    struct errand *first;
    uint64_t last;
};

struct errands *errands_new(void)
{
    return calloc(1, sizeof(struct errands));
}

void errands_free(struct errands *errands)
{
    while (errands != NULL && errands->first != NULL)
        errands_settle(errands, errands->first->token, ERR_BUSY);
    free(errands);
}

uint64_t errands_add(struct errands *errands, void (*on_done)(void *arg, err result), void *arg)
{
    struct errand *errand = calloc(1, sizeof *errand);
    if (errand == NULL)
        return 0;
    /* odd, so that none is ever taken for the address of a batch */
    errand->token = ++errands->last << 1 | 1;
    errand->on_done = on_done;
    errand->arg = arg;
    errand->next = errands->first;
    errands->first = errand;
    return errand->token;
}

static struct errand *errands_take(struct errands *errands, uint64_t token)
{
    struct errand **link = &errands->first;
    while (*link != NULL && (*link)->token != token)
        link = &(*link)->next;
    struct errand *errand = *link;
    if (errand != NULL)
        *link = errand->next;
    return errand;
}

void errands_forget(struct errands *errands, uint64_t token)
{
    free(errands_take(errands, token));
}

void errands_settle(struct errands *errands, uint64_t token, err result)
{
    struct errand *errand = errands_take(errands, token);
    if (errand != NULL && errand->on_done != NULL)
        errand->on_done(errand->arg, result);
    free(errand);
}

void errands_keep(struct errands *errands, struct store *store, const struct shell_keep *keep)
{
    uint64_t token = errands_add(errands, keep->on_done, keep->arg);
    err failure = token == 0 ? ERR_NO_MEMORY
                             : store_submit(store, keep->ops, keep->op_count, keep->urgency, token);
    if (failure == ERR_BUSY) /* 16 MiB wait already: this one is kept before we go on */
        failure = store_commit(store, keep->ops, keep->op_count, keep->urgency, NULL);
    else if (failure == OK)
        return;
    for (struct errand *errand = errands->first; errand != NULL; errand = errand->next) {
        if (errand->token == token) {
            errand->is_settled = true;
            errand->result = failure;
        }
    }
}

bool errands_tell(struct errands *errands)
{
    for (struct errand *errand = errands->first; errand != NULL; errand = errand->next) {
        if (errand->is_settled) {
            errands_settle(errands, errand->token, errand->result);
            return true;
        }
    }
    return false;
}
