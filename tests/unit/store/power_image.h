/* What is found on the disk when the power comes back: what was synced before it went is there, of
 * the rest any part may be, down to single sectors of 512 bytes, and in any order. */
#ifndef CONSILIUM_TESTS_UNIT_STORE_POWER_IMAGE_H
#define CONSILIUM_TESTS_UNIT_STORE_POWER_IMAGE_H

#include "tests/unit/store/power_disk.h"

/* ---- what survives ---- */

struct power_file {
    uint8_t *data; /* `high` bytes; the rest up to `size` are zeros */
    uint64_t size;
    uint64_t high;
    uint64_t capacity;
    size_t synced;  /* the operations before this one are in `data` */
    size_t dropped; /* those before this one may have been given up */
};

struct power_dir_entry {
    char name[POWER_NAME_SIZE];
    uint32_t file;
};

struct power_dir {
    struct power_dir_entry entries[POWER_FILE_MAX];
    size_t count;
    size_t synced;
};

/* What is durable at a place in the list. */
struct power_state {
    size_t at;
    struct power_file files[POWER_FILE_MAX];
    struct power_dir dirs[2];
};

static void power_file_write(struct power_file *file, uint64_t offset, const uint8_t *data,
                             size_t size)
{
    uint64_t end = offset + size;
    if (end > file->capacity) {
        file->capacity = end * 2;
        file->data = realloc(file->data, file->capacity);
        if (file->data == NULL) {
            abort();
        }
    }
    if (end > file->high) {
        memset(file->data + file->high, 0, (size_t)(end - file->high));
        file->high = end;
    }
    memcpy(file->data + offset, data, size);
    file->size = end > file->size ? end : file->size;
}

static void power_file_apply(struct power_file *file, const struct power_op *op)
{
    if (op->kind == POWER_WRITE) {
        power_file_write(file, op->offset, op->data, op->size);
    } else if (op->kind == POWER_SIZE) {
        file->size = op->offset;
        file->high = file->high > file->size ? file->size : file->high;
    }
}

static void power_dir_apply(struct power_dir *dir, const struct power_op *op)
{
    size_t at = 0;
    while (at < dir->count && strcmp(dir->entries[at].name, op->name) != 0) {
        at++;
    }
    if (op->kind == POWER_LINK) {
        dir->count += at == dir->count ? 1 : 0;
        memcpy(dir->entries[at].name, op->name, POWER_NAME_SIZE);
        dir->entries[at].file = op->other;
    } else if (at < dir->count) {
        dir->entries[at] = dir->entries[--dir->count];
    }
}

static bool power_is_of_dir(const struct power_op *op)
{
    return op->kind == POWER_LINK || op->kind == POWER_UNLINK;
}

static bool power_is_of_file(const struct power_op *op)
{
    return op->kind == POWER_WRITE || op->kind == POWER_SIZE;
}

static uint64_t power_chance_state;

static uint32_t power_chance(uint32_t below)
{
    power_chance_state = power_chance_state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)(power_chance_state >> 33) % below;
}

static void power_dir_sync(struct power_state *state, uint32_t number)
{
    struct power_dir *dir = &state->dirs[number];
    for (; dir->synced < state->at; dir->synced++) {
        const struct power_op *op = &power.ops[dir->synced];
        if (power_is_of_dir(op) && op->file == number) {
            power_dir_apply(dir, op);
        }
    }
}

static void power_file_sync(struct power_state *state, uint32_t number)
{
    struct power_file *file = &state->files[number];
    for (; file->synced < state->at; file->synced++) {
        const struct power_op *op = &power.ops[file->synced];
        bool is_given_up = file->synced < file->dropped && !op->is_durable && power_chance(2) == 0;
        if (power_is_of_file(op) && op->file == number && !is_given_up) {
            power_file_apply(file, op);
        }
    }
}

/* The next operation of the list has happened. */
static void power_go_on(struct power_state *state)
{
    const struct power_op *op = &power.ops[state->at++];
    if (op->kind == POWER_WRITE && op->is_durable) {
        power_file_apply(&state->files[op->file], op);
    }
    if (op->kind == POWER_DROP && op->file > POWER_ITEMS) {
        state->files[op->file].dropped = state->at;
    }
    if (op->kind == POWER_SYNC && op->file <= POWER_ITEMS) {
        power_dir_sync(state, op->file);
    } else if (op->kind == POWER_SYNC) {
        power_file_sync(state, op->file);
    }
}

static void power_state_end(struct power_state *state)
{
    for (size_t i = 0; i < POWER_FILE_MAX; i++) {
        free(state->files[i].data);
    }
    free(state);
}

/* ---- one image ---- */

enum power_fate { POWER_NOTHING, POWER_ALL, POWER_FIRST, POWER_SOME, POWER_TORN, POWER_FATES };

static void power_tear(struct power_file *file, const struct power_op *op)
{
    for (size_t at = 0; at < op->size;) {
        size_t left = POWER_SECTOR - (size_t)((op->offset + at) % POWER_SECTOR);
        size_t size = op->size - at < left ? op->size - at : left;
        if (power_chance(2) == 0) {
            power_file_write(file, op->offset + at, op->data + at, size);
        }
        at += size;
    }
}

/* The file as the disk has it when the power goes: `upto` may be one beyond what has returned. */
static void power_survive(const struct power_state *state, uint32_t number, size_t upto,
                          struct power_file *file)
{
    const struct power_file *base = &state->files[number];
    enum power_fate fate = (enum power_fate)power_chance(POWER_FATES);
    uint32_t one_in = 2 + power_chance(4);
    file->size = file->high = 0;
    if (base->high > 0) {
        power_file_write(file, 0, base->data, (size_t)base->high);
    }
    file->size = base->size;
    bool has_stopped = false;
    for (size_t i = base->synced; i < upto; i++) {
        const struct power_op *op = &power.ops[i];
        if (!power_is_of_file(op) || op->file != number) {
            continue;
        }
        bool is_durable = op->is_durable && i < state->at;
        has_stopped = has_stopped || (fate == POWER_FIRST && power_chance(one_in * 4) == 0);
        bool survives = fate == POWER_ALL || (fate == POWER_FIRST && !has_stopped) ||
                        (fate >= POWER_SOME && power_chance(one_in) != 0);
        if (!is_durable && !survives) {
            continue;
        }
        if (!is_durable && fate == POWER_TORN && op->kind == POWER_WRITE) {
            power_tear(file, op);
        } else {
            power_file_apply(file, op);
        }
    }
}

static void power_put(const char *path, const struct power_file *file)
{
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || syscall(SYS_ftruncate, fd, (off_t)file->size) != 0) {
        abort();
    }
    for (uint64_t done = 0; done < file->high;) {
        ssize_t count =
            syscall(SYS_pwrite64, fd, file->data + done, file->high - done, (off_t)done);
        if (count <= 0) {
            abort();
        }
        done += (uint64_t)count;
    }
    syscall(SYS_close, fd);
}

/* The directory as it is found when the power comes back, made in `path`, which is empty. */
static void power_image(const struct power_state *state, const char *path)
{
    static struct power_dir dir;
    static struct power_file file;
    size_t upto = state->at + power_chance(2);
    upto = upto > power.op_count ? power.op_count : upto;
    bool has_items = false;
    for (uint32_t number = POWER_ROOT; number <= POWER_ITEMS; number++) {
        dir = state->dirs[number];
        enum power_fate fate = (enum power_fate)power_chance(POWER_SOME);
        for (size_t i = dir.synced; i < upto; i++) {
            const struct power_op *op = &power.ops[i];
            if (!power_is_of_dir(op) || op->file != number) {
                continue;
            }
            if (fate == POWER_NOTHING || (fate == POWER_FIRST && power_chance(3) == 0)) {
                break;
            }
            power_dir_apply(&dir, op);
        }
        for (size_t i = 0; i < dir.count && (number == POWER_ROOT || has_items); i++) {
            char name[256];
            snprintf(name, sizeof name, "%s/%s", path, dir.entries[i].name);
            if (dir.entries[i].file == POWER_ITEMS) {
                has_items = true;
                if (syscall(SYS_mkdirat, AT_FDCWD, name, 0700) != 0) {
                    abort();
                }
                continue;
            }
            power_survive(state, dir.entries[i].file, upto, &file);
            power_put(name, &file);
        }
    }
}

#endif
