#include "node/service/service.h"

#include <stdlib.h>

#include "node/service/enrollment.h"

err service_new(const struct service_config *config, struct service **ret_service)
{
    struct service *service = calloc(1, sizeof *service);
    if (service == NULL)
        return ERR_NO_MEMORY;
    service->runtime = config->runtime;
    service->items = config->items;
    service->workers = config->workers;
    err failure = account_open(config->accounts, &service->accounts);
    service->room = (struct account_room){
        .book = service->accounts, .checks = config->checks, .secrets = config->secrets};
    if (failure == OK)
        failure = inbox_new(service->runtime, &service->inbox);
    if (failure == OK)
        failure = draft_open(service->runtime, service->items, &service->drafts);
    if (failure == OK && (service->proofs = membership_proofs_new(service->runtime)) == NULL)
        failure = ERR_NO_MEMORY;
    if (failure != OK) {
        service_stop(service);
        service_free(service);
        return failure;
    }
    enrollment_publish_all(service);
    *ret_service = service;
    return OK;
}

void service_stop(struct service *service)
{
    if (service == NULL || service->is_stopped)
        return;
    service->is_stopped = true;
    runtime_unlisten(service->runtime, service->inbox);
    runtime_unlisten(service->runtime, service->proofs);
}

void service_free(struct service *service)
{
    if (service == NULL)
        return;
    account_close(service->accounts);
    inbox_free(service->inbox);
    draft_close(service->drafts);
    membership_proofs_free(service->proofs);
    free(service);
}
