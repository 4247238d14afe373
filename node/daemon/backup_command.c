#include "node/daemon/backup_command.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/backup/backup.h"
#include "node/backup/backup_keys.h"
#include "node/backup/backup_restore.h"
#include "node/runtime/clock.h"

enum { BACKUP_COMMAND_INTERVAL_MS = 200, BACKUP_COMMAND_MEGABYTE = 1024 * 1024 };

/* ---- the progress line, at a terminal ---- */

struct backup_progress {
    bool is_shown;
    bool is_begun;
    struct mono next_at;
};

static void backup_on_progress(void *arg, const char *what, uint64_t done, uint64_t total)
{
    struct backup_progress *progress = arg;
    struct mono now = clock_mono();
    if (!progress->is_shown || now.ms < progress->next_at.ms)
        return;
    progress->next_at.ms = now.ms + BACKUP_COMMAND_INTERVAL_MS;
    progress->is_begun = true;
    if (total > 0)
        (void)fprintf(stderr, "\r%s: %" PRIu64 " of %" PRIu64 " MB\033[K", what,
                      done / BACKUP_COMMAND_MEGABYTE, total / BACKUP_COMMAND_MEGABYTE);
    else
        (void)fprintf(stderr, "\r%s: %" PRIu64 "\033[K", what, done);
}

static void backup_progress_end(const struct backup_progress *progress)
{
    if (progress->is_begun)
        (void)fputs("\r\033[K", stderr);
}

static struct backup_watch backup_watch_of(struct backup_progress *progress)
{
    progress->is_shown = isatty(STDERR_FILENO) == 1;
    return (struct backup_watch){.on_progress = backup_on_progress, .arg = progress};
}

/* ---- what is said of it ---- */

static const char *backup_plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

static void backup_say_stores(const struct backup_manifest *manifest)
{
    for (size_t i = 0; i < manifest->store_count; i++) {
        const struct backup_store *store = &manifest->stores[i];
        printf("  %-16s %" PRIu64 " record%s, %" PRIu64 " document%s, read back and checked\n",
               store->name, store->count.records, backup_plural(store->count.records),
               store->count.items, backup_plural(store->count.items));
    }
}

static void backup_warn_of_damage(const struct backup_manifest *manifest, const char *advice)
{
    for (size_t i = 0; i < manifest->store_count; i++) {
        const struct backup_count *count = &manifest->stores[i].count;
        if (count->damaged == 0 && count->items_lost == 0)
            continue;
        (void)fprintf(stderr,
                      "consiliumd: %s: %" PRIu64 " record%s and %" PRIu64
                      " document%s are damaged: %s\n",
                      manifest->stores[i].name, count->damaged, backup_plural(count->damaged),
                      count->items_lost, backup_plural(count->items_lost), advice);
    }
}

/* ---- backup ---- */

/* For a timer: the passphrase comes from systemd as for the node itself. */
static struct passphrase_source backup_source(const struct prepare_options *options)
{
    struct passphrase_source source = PASSPHRASE_TERMINAL;
    source.file = options->passphrase_file;
    if (source.file == NULL && getenv("CREDENTIALS_DIRECTORY") != NULL)
        source.credential = "consilium-passphrase";
    return source;
}

static int backup_write_keys(const struct prepare_options *options, const struct identity *identity,
                             const struct bytes *passphrase, struct secure_arena *secrets)
{
    char problem[BACKUP_PROBLEM_SIZE] = "";
    if (options->keys == NULL)
        return 0;
    if (backup_keys_write(identity, passphrase, options->keys, secrets, problem) == OK)
        return 0;
    (void)fputs("consiliumd: the backup of the data is made, the one of the keys is not\n", stderr);
    return prepare_fail(problem);
}

static void backup_say(const struct prepare_options *options,
                       const struct backup_manifest *manifest)
{
    char made[BACKUP_DATE_SIZE], until[BACKUP_DATE_SIZE];
    backup_date(manifest->made_at, 0, made);
    backup_date(manifest->made_at, BACKUP_AGE_DAYS_MAX, until);
    printf("Backup of %s as of %s in %s:\n\n", manifest->institution, made, options->to);
    backup_say_stores(manifest);
    printf("\n  Delete it by %.10s: erasure receipts promise it.\n", until);
    if (options->keys == NULL)
        printf("  The keys are not in it: keep identity.key and store.key elsewhere, or write\n"
               "  them with --keys FILE. Without them nobody opens the backup.\n");
    else
        printf("  The keys are in %s, sealed: keep it apart from the backup, and its\n"
               "  passphrase apart from both.\n",
               options->keys);
    printf("  Try it: consiliumd restore --from %s --data DIR\n", options->to);
}

int backup_command_backup(const struct prepare_options *options, struct secure_arena *secrets)
{
    char problem[BACKUP_PROBLEM_SIZE] = "";
    const struct passphrase_source source = backup_source(options);
    struct backup_progress progress = {.is_begun = false};
    struct backup_watch watch = backup_watch_of(&progress);
    struct backup_manifest manifest;
    struct identity identity;
    struct bytes passphrase;
    if (options->data == NULL || options->to == NULL || options->from != NULL ||
        (options->keys == NULL && options->new_passphrase_file != NULL))
        return prepare_usage("backup wants --data DIR and --to DIR; with --keys FILE, "
                             "--new-passphrase-file names the passphrase of that file where "
                             "nobody types");
    if (options->keys != NULL && access(options->keys, F_OK) == 0)
        return prepare_fail("the file of --keys is there already, and nothing was overwritten; "
                            "name a new one, or leave --keys out");
    if (identity_open(options->data, &source, secrets, &identity, problem) != OK)
        return prepare_fail(problem);
    if (options->keys != NULL &&
        prepare_ask(options->new_passphrase_file, PREPARE_PASSPHRASE_OF_BACKUP, secrets,
                    &passphrase) != 0)
        return 1;
    (void)umask(077);
    err failure = backup_make(options->data, &identity, options->to, &watch, &manifest, problem);
    backup_progress_end(&progress);
    if (failure != OK)
        return prepare_fail(problem);
    if (backup_write_keys(options, &identity, &passphrase, secrets) != 0)
        return 1;
    backup_say(options, &manifest);
    backup_warn_of_damage(&manifest, "so they are in the store of the node, which requests them "
                                     "from other members; make another backup then");
    return 0;
}

/* ---- restore ---- */

static void backup_say_restored(const struct prepare_options *options,
                                const struct backup_manifest *manifest)
{
    char made[BACKUP_DATE_SIZE];
    backup_date(manifest->made_at, 0, made);
    printf("Backup of %s as of %s is in %s:\n\n", manifest->institution, made, options->data);
    backup_say_stores(manifest);
    printf("\n"
           "  Never start two nodes of one institution: the one that was backed up must be off\n"
           "  for good. Leave its marker directory as it is, if it is still there.\n"
           "  After the start the node hands out no key and writes nothing until it has heard\n"
           "  from two other members (all, if there are fewer); `consilium status` shows it.\n");
    if (options->keys != NULL)
        printf("  The keys are sealed under the passphrase of %s; `unlock` in\n"
               "  consiliumd.conf says where it comes from at a start.\n",
               options->keys);
}

int backup_command_restore(const struct prepare_options *options, struct secure_arena *secrets)
{
    char problem[BACKUP_PROBLEM_SIZE] = "";
    const struct passphrase_source source = backup_source(options);
    struct backup_progress progress = {.is_begun = false};
    struct backup_watch watch = backup_watch_of(&progress);
    struct backup_manifest manifest;
    const struct backup_restore restore = {.from = options->from,
                                           .data = options->data,
                                           .keys = options->keys,
                                           .source = &source,
                                           .is_old_fine = options->is_old_fine,
                                           .watch = &watch};
    if (options->data == NULL || options->from == NULL || options->to != NULL)
        return prepare_usage("restore wants --from DIR and --data DIR, which is empty or holds "
                             "the two .key files; with --keys FILE it is empty");
    (void)umask(077);
    err failure = backup_restore(&restore, secrets, &manifest, problem);
    backup_progress_end(&progress);
    if (failure != OK)
        return prepare_fail(problem);
    backup_say_restored(options, &manifest);
    backup_warn_of_damage(&manifest, "the node requests them from other members");
    return 0;
}
