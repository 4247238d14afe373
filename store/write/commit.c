#include "store/write/commit.h"

#include <time.h>

#include "store/disk/item_disk.h"

enum { RETRY_PERIOD_S = 1, QUOTA_PERCENT_MAX = 90 };

/* ---- room ---- */

struct space {
    uint64_t file; /* bytes up to the last page */
    uint64_t used; /* of them; counted only when they may be too few */
};

/* Counting the free pages needs a walk over all of them, so it happens only near the limit. */
static err measure(const struct env *env, bool exactly, uint64_t limit, struct space *ret_space)
{
    MDB_envinfo info;
    MDB_stat stat_main;
    MDB_txn *txn;
    if (mdb_env_info(env->mdb, &info) != 0 || mdb_env_stat(env->mdb, &stat_main) != 0) {
        return ERR_IO;
    }
    ret_space->file = ((uint64_t)info.me_last_pgno + 1) * stat_main.ms_psize;
    ret_space->used = ret_space->file;
    if (!exactly && ret_space->file < limit) {
        return OK;
    }
    int code = mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &txn);
    if (code != 0) {
        return env_error(code);
    }
    ret_space->used = env_bytes(env, txn);
    mdb_txn_abort(txn);
    return OK;
}

static time_t now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static void restore_ballast(struct commit *commit)
{
    if (!commit->store->directory.ballasted && now_s() >= commit->ballast_at) {
        commit->ballast_at = now_s() + RETRY_PERIOD_S;
        err result = directory_ballast(&commit->store->directory);
        (void)result; /* without space it is retried in a second */
    }
}

/* While the ballast is gone, or the disk is almost full, the data must not grow, or erasing would
 * find no space; unless the file itself has as much free space. */
static bool has_room(struct commit *commit)
{
    const struct env *env = &commit->store->env;
    uint64_t limit = env->quota / 100 * QUOTA_PERCENT_MAX;
    struct space space;
    restore_ballast(commit);
    bool roomy =
        commit->store->directory.ballasted && directory_has_room(&commit->store->directory);
    if (measure(env, !roomy, limit, &space) != OK || space.used >= limit) {
        return false;
    }
    return roomy || space.file - space.used >= DIRECTORY_BALLAST_SIZE;
}

bool commit_refresh(struct commit *commit)
{
    commit->full = !has_room(commit);
    return commit->full;
}

/* ---- one group ---- */

enum { UNSETTLED = ERR_COUNT }; /* batch->result while the group still includes it */

static bool unsettled(const struct batch *batch)
{
    return (int)batch->result == UNSETTLED;
}

static void settle(struct batch *batch, err result)
{
    batch->result = result;
}

static bool any_unsettled(const struct batch *batch)
{
    while (batch != NULL && !unsettled(batch)) {
        batch = batch->next;
    }
    return batch != NULL;
}

enum outcome { OUTCOME_DONE, OUTCOME_AGAIN, OUTCOME_FULL, OUTCOME_FAILED };

/* LMDB returns EIO for a write that was cut short by a full disk. */
static enum outcome outcome_of(const struct commit *commit, err result)
{
    if (result == ERR_IO && directory_is_full(&commit->store->directory)) {
        return OUTCOME_FULL;
    }
    return result == ERR_FULL ? OUTCOME_FULL : OUTCOME_FAILED;
}

/* Applies every batch that the group still includes, and commits. */
static enum outcome try_group(struct commit *commit, struct batch *first)
{
    struct write_txn *group = &commit->group;
    err result = write_txn_begin(group);
    if (result != OK) {
        return outcome_of(commit, result);
    }
    for (struct batch *batch = first; batch != NULL; batch = batch->next) {
        if (!unsettled(batch)) {
            continue;
        }
        result = write_txn_apply(group, batch);
        if (result == OK) {
            continue;
        }
        if (group->broken) {
            write_txn_abort(group);
            return outcome_of(commit, result);
        }
        settle(batch, result);
        if (group->changed) {
            write_txn_abort(group);
            return OUTCOME_AGAIN;
        }
    }
    if (!any_unsettled(first)) {
        write_txn_abort(group);
        return OUTCOME_DONE;
    }
    result = write_txn_commit(group);
    return result == OK ? OUTCOME_DONE : outcome_of(commit, result);
}

/* The disk is full: first the normal batches are refused; then the ballast is released; then all
 * are refused. True when there is anything left to try. */
static bool make_room(struct commit *commit, struct batch *first)
{
    bool refused = false;
    for (struct batch *batch = first; batch != NULL; batch = batch->next) {
        if (unsettled(batch) && batch->urgency == STORE_NORMAL) {
            settle(batch, ERR_FULL);
            refused = true;
        }
    }
    if (!refused && commit->store->directory.ballasted) {
        directory_ballast_drop(&commit->store->directory);
    } else if (!refused) {
        for (struct batch *batch = first; batch != NULL; batch = batch->next) {
            if (unsettled(batch)) {
                settle(batch, ERR_FULL);
            }
        }
    }
    return any_unsettled(first);
}

static void refuse_growth(struct commit *commit, struct batch *first)
{
    bool full = commit_refresh(commit);
    for (struct batch *batch = first; batch != NULL; batch = batch->next) {
        batch->result = (err)UNSETTLED;
        if (batch->grows && batch->urgency == STORE_NORMAL && full) {
            settle(batch, ERR_FULL);
        }
    }
}

static void settle_rest(struct batch *first, err result)
{
    for (struct batch *batch = first; batch != NULL; batch = batch->next) {
        if (unsettled(batch)) {
            settle(batch, result);
        }
    }
}

static err remove_items_of(struct commit *commit, const struct batch *batch)
{
    err result = OK;
    for (size_t i = 0; result == OK && i < batch->op_count; i += 1) {
        if (batch->ops[i].has_file) {
            result = item_disk_remove(commit->store, batch->ops[i].file);
        }
    }
    return result;
}

/* After the commit, deletes the files of deleted items before it reports the results. */
static err remove_items(struct commit *commit, const struct batch *first)
{
    err result = OK;
    for (const struct batch *batch = first; result == OK && batch != NULL; batch = batch->next) {
        result = batch->result == OK ? remove_items_of(commit, batch) : OK;
    }
    return result;
}

err commit_run(struct commit *commit, struct batch *first)
{
    refuse_growth(commit, first);
    commit->group.is_tight = false;
    enum outcome outcome = any_unsettled(first) ? OUTCOME_AGAIN : OUTCOME_DONE;
    while (outcome == OUTCOME_AGAIN) {
        outcome = try_group(commit, first);
        if (outcome == OUTCOME_FULL) {
            commit->full = true;
            commit->group.is_tight = true;
            outcome = make_room(commit, first) ? OUTCOME_AGAIN : OUTCOME_DONE;
        }
    }
    settle_rest(first, outcome == OUTCOME_FAILED ? ERR_IO : OK);
    if (outcome == OUTCOME_FAILED || remove_items(commit, first) != OK) {
        return ERR_IO;
    }
    return OK;
}
