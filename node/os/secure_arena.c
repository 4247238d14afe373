/* `lengths` has an entry for each piece of 64 bytes: 0 free, SECURE_ARENA_INNER inside of an
 * allocation, else the number of pieces of the allocation that begins here. First fit: there are
 * few. */
#include "node/os/secure_arena.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <sodium.h>

enum { SECURE_ARENA_PIECE_SIZE = 64, SECURE_ARENA_INNER = 255 };

_Static_assert(SECURE_ARENA_PIECE_SIZE_MAX / SECURE_ARENA_PIECE_SIZE < SECURE_ARENA_INNER,
               "a length is a byte");

struct secure_arena {
    pthread_mutex_t mutex;
    uint8_t *arena;
    uint8_t *lengths;
    size_t piece_count;
    bool locked;
};

err secure_arena_new(size_t size, struct secure_arena **ret_secrets)
{
    struct secure_arena *secrets = calloc(1, sizeof *secrets);
    if (secrets == NULL)
        return ERR_NO_MEMORY;
    secrets->piece_count = (size + SECURE_ARENA_PIECE_SIZE - 1) / SECURE_ARENA_PIECE_SIZE;
    size_t rounded = secrets->piece_count * SECURE_ARENA_PIECE_SIZE;
    secrets->lengths = calloc(secrets->piece_count, 1);
    secrets->arena = sodium_init() < 0 ? NULL : sodium_malloc(rounded);
    if (secrets->lengths == NULL || secrets->arena == NULL ||
        pthread_mutex_init(&secrets->mutex, NULL) != 0) {
        sodium_free(secrets->arena);
        free(secrets->lengths);
        free(secrets);
        return ERR_NO_MEMORY;
    }
    memset(secrets->arena, 0, rounded);
    /* sodium_malloc locks too, but does not say whether it could */
    secrets->locked = mlock(secrets->arena, rounded) == 0;
    *ret_secrets = secrets;
    return OK;
}

void secure_arena_free(struct secure_arena *secrets)
{
    if (secrets == NULL)
        return;
    sodium_free(secrets->arena); /* wipes */
    free(secrets->lengths);
    pthread_mutex_destroy(&secrets->mutex);
    free(secrets);
}

/* The first of `count` free pieces in a row; piece_count when there are none. */
static size_t secure_arena_find(const struct secure_arena *secrets, size_t count)
{
    size_t run = 0;
    for (size_t i = 0; i < secrets->piece_count; i++) {
        run = secrets->lengths[i] == 0 ? run + 1 : 0;
        if (run == count)
            return i + 1 - count;
    }
    return secrets->piece_count;
}

uint8_t *secure_arena_take(struct secure_arena *secrets, size_t size)
{
    assert(size >= 1 && size <= SECURE_ARENA_PIECE_SIZE_MAX);
    size_t count = (size + SECURE_ARENA_PIECE_SIZE - 1) / SECURE_ARENA_PIECE_SIZE;
    uint8_t *piece = NULL;
    pthread_mutex_lock(&secrets->mutex);
    size_t first = secure_arena_find(secrets, count);
    if (first < secrets->piece_count) {
        memset(secrets->lengths + first, SECURE_ARENA_INNER, count);
        secrets->lengths[first] = (uint8_t)count;
        piece = secrets->arena + first * SECURE_ARENA_PIECE_SIZE;
    }
    pthread_mutex_unlock(&secrets->mutex);
    return piece;
}

void secure_arena_drop(struct secure_arena *secrets, uint8_t *piece)
{
    if (piece == NULL)
        return;
    size_t offset = (size_t)(piece - secrets->arena);
    size_t first = offset / SECURE_ARENA_PIECE_SIZE;
    assert(offset % SECURE_ARENA_PIECE_SIZE == 0 && first < secrets->piece_count);
    pthread_mutex_lock(&secrets->mutex);
    size_t count = secrets->lengths[first];
    assert(count != 0 && count != SECURE_ARENA_INNER);
    sodium_memzero(piece, count * SECURE_ARENA_PIECE_SIZE);
    memset(secrets->lengths + first, 0, count);
    pthread_mutex_unlock(&secrets->mutex);
}

bool secure_arena_locked(const struct secure_arena *secrets)
{
    return secrets->locked;
}

err secure_arena_harden(void)
{
    const struct rlimit none = {.rlim_cur = 0, .rlim_max = 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return ERR_IO;
    return OK;
}
