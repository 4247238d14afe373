#include "bootstrap/relay/relay_roster.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/os/file.h"

enum {
    RELAY_ROSTER_OFFICERS_MAX = 4096,
    RELAY_ROSTER_FILE_MODE = 0644,
    RELAY_ROSTER_SIZE_MAX = 256 * 1024 * 1024,
};

struct relay_roster {
    char path[PATH_MAX];
    struct chain chain;
    uint8_t *file; /* as it stands on disk: a publication of all heads; NULL before the first */
    size_t file_size;
    struct publication publication; /* borrows from `file` */
};

static err relay_roster_new(const char *directory, const struct federation_id *federation,
                            struct relay_roster **ret_roster)
{
    struct relay_roster *roster = calloc(1, sizeof *roster);
    if (roster == NULL)
        return ERR_NO_MEMORY;
    int size = snprintf(roster->path, sizeof roster->path, "%s/roster", directory);
    roster->chain.links = calloc(PUBLICATION_HEAD_COUNT_MAX, sizeof *roster->chain.links);
    roster->chain.officer_sets =
        calloc(RELAY_ROSTER_OFFICERS_MAX, sizeof *roster->chain.officer_sets);
    if (roster->chain.links == NULL || roster->chain.officer_sets == NULL || size < 0 ||
        (size_t)size >= sizeof roster->path) {
        relay_roster_close(roster);
        return ERR_NO_MEMORY;
    }
    roster->chain.capacity = PUBLICATION_HEAD_COUNT_MAX;
    roster->chain.officer_set_capacity = RELAY_ROSTER_OFFICERS_MAX;
    chain_init(&roster->chain, federation);
    *ret_roster = roster;
    return OK;
}

void relay_roster_close(struct relay_roster *roster)
{
    if (roster == NULL)
        return;
    free(roster->chain.links);
    free(roster->chain.officer_sets);
    free(roster->file);
    free(roster);
}

err relay_roster_open(const char *directory, const struct federation_id *federation,
                      struct relay_roster **ret_roster)
{
    struct relay_roster *roster = NULL;
    err failure = relay_roster_new(directory, federation, &roster);
    if (failure != OK)
        return failure;
    failure = file_read(roster->path, RELAY_ROSTER_SIZE_MAX, &roster->file, &roster->file_size);
    if (failure == ERR_NOT_FOUND) {
        *ret_roster = roster;
        return OK;
    }
    if (failure == OK) {
        const struct head_id any = {{0}}; /* a head that was accepted once stays accepted */
        struct bytes all = {roster->file, roster->file_size};
        if (publication_read(all, &roster->publication) != OK ||
            publication_learn(&roster->publication, &roster->chain, &any, (struct wall){1}) != OK)
            failure = ERR_CORRUPT;
    }
    if (failure == OK)
        *ret_roster = roster;
    else
        relay_roster_close(roster);
    return failure;
}

/* The heads of this roster, the new ones of `added`, and its list, as one publication. The last
 * `new_count` heads of `added` are new; publication_learn proved that the others are the same. */
static err relay_roster_join(const struct relay_roster *roster, const struct publication *added,
                             uint32_t new_count, struct buffer *ret_all)
{
    const struct publication *old = &roster->publication;
    size_t size = 4 + old->heads.size + added->heads.size + added->list.size;
    uint8_t *memory = malloc(size);
    if (memory == NULL)
        return ERR_NO_MEMORY;
    struct buffer all = buffer_over(memory, size);
    struct reader reader = reader_of(added->heads);
    struct bytes head;
    publication_begin(&all, roster->chain.count);
    buffer_put(&all, old->heads.data, old->heads.size);
    for (uint32_t i = 0; publication_next(&reader, &head); i++) {
        if (i >= added->head_count - new_count)
            publication_put(&all, head);
    }
    buffer_put(&all, added->list.data, added->list.size);
    *ret_all = all;
    return OK;
}

err relay_roster_take(struct relay_roster *roster, struct bytes bytes,
                      const struct head_id *split_recovery, struct wall now)
{
    struct publication added, whole;
    const struct roster_head tip = roster->chain.tip;
    uint32_t count = roster->chain.count;
    struct buffer all = {.data = NULL};
    err failure = publication_read(bytes, &added);
    if (failure != OK)
        return failure;
    failure = publication_learn(&added, &roster->chain, split_recovery, now);
    if (failure != OK)
        return failure;
    failure = relay_roster_join(roster, &added, roster->chain.count - count, &all);
    if (failure == OK)
        failure = publication_read(buffer_bytes(&all), &whole);
    if (failure == OK)
        failure = file_write(roster->path, buffer_bytes(&all), RELAY_ROSTER_FILE_MODE);
    if (failure != OK) {
        chain_unlearn(&roster->chain, count, &tip);
        free(all.data);
        return failure;
    }
    free(roster->file);
    roster->file = all.data;
    roster->file_size = all.size;
    roster->publication = whole;
    return OK;
}

struct relay_head relay_roster_head(const struct relay_roster *roster)
{
    const struct chain_link *last = chain_last(&roster->chain);
    struct relay_head head = {.epoch = 0};
    if (last != NULL) {
        head.epoch = last->epoch;
        head.id = last->id;
    }
    return head;
}

struct bytes relay_roster_list(const struct relay_roster *roster)
{
    return roster->publication.list;
}

struct wall relay_roster_valid_until(const struct relay_roster *roster)
{
    return roster->chain.tip.valid_until;
}
