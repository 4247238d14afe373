#include "bootstrap/society/society_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bootstrap/society/society_pending.h"
#include "bootstrap/society/terminal.h"
#include "node/os/file.h"

enum { FOLDER_MODE = 0755, FOLDER_FILE_MODE = 0644 };

struct folder_path {
    char text[PATH_MAX + 64];
};

static struct folder_path folder_of_epoch(const struct society *society, uint64_t epoch,
                                          const char *what)
{
    struct folder_path path;
    snprintf(path.text, sizeof path.text, "%s/heads/%08" PRIu64 ".%s", society->path, epoch, what);
    return path;
}

static struct folder_path folder_below(const struct society *society, const char *name)
{
    struct folder_path path;
    snprintf(path.text, sizeof path.text, "%s/%s", society->path, name);
    return path;
}

/* ---- reading ---- */

static bool folder_read(const struct folder_path *path, size_t size_max, uint8_t **ret_data,
                        size_t *ret_size)
{
    err failure = file_read(path->text, size_max, ret_data, ret_size);
    if (failure == OK)
        return true;
    terminal_error("%s: %s; the directory was not copied whole: take it from another officer",
                   path->text, terminal_reason(failure));
    return false;
}

bool society_folder_read_head(const struct society *society, uint64_t epoch, uint8_t **ret_data,
                              size_t *ret_size)
{
    struct folder_path path = folder_of_epoch(society, epoch, "head");
    return folder_read(&path, HEAD_SIZE_MAX, ret_data, ret_size);
}

bool society_folder_read_delta(const struct society *society, uint64_t epoch, uint8_t **ret_data,
                               size_t *ret_size)
{
    struct folder_path path = folder_of_epoch(society, epoch, "delta");
    return folder_read(&path, DELTA_SIZE_MAX, ret_data, ret_size);
}

static err folder_apply(struct roster *roster, struct bytes head, struct bytes items)
{
    struct roster_head_signed signed_head;
    struct roster_head read;
    struct delta delta = {.items = items};
    struct wall now = terminal_now();
    err failure = roster_head_signed_read(head, &signed_head);
    if (failure == OK)
        failure = roster_head_read(signed_head.body, &read);
    if (failure != OK)
        return failure;
    delta.head = roster_head_id(signed_head.body);
    if (read.heal_count > 0)
        return roster_heal(roster, head, &delta, now);
    delta.base = read.previous;
    return roster_apply(roster, head, &delta, now);
}

static bool folder_take_epoch(struct society *society, uint64_t epoch)
{
    uint8_t *head = NULL, *items = NULL;
    size_t head_size, items_size;
    bool taken = false;
    if (society_folder_read_head(society, epoch, &head, &head_size) &&
        society_folder_read_delta(society, epoch, &items, &items_size)) {
        err failure = folder_apply(&society->roster, (struct bytes){head, head_size},
                                   (struct bytes){items, items_size});
        taken = failure == OK;
        if (!taken)
            terminal_error("the head of epoch %" PRIu64 " in %s/heads does not stand: %s; "
                           "take this directory from another officer",
                           epoch, society->path, err_sentence(failure));
    }
    free(head);
    free(items);
    return taken;
}

/* "00000012.head" is 12; 0 for any other name. */
static uint64_t folder_epoch_of(const char *name)
{
    char *end;
    if (strlen(name) != 13 || name[0] < '0' || name[0] > '9')
        return 0;
    unsigned long long epoch = strtoull(name, &end, 10);
    return strcmp(end, ".head") == 0 ? epoch : 0;
}

static int folder_heads_only(const struct dirent *entry)
{
    return folder_epoch_of(entry->d_name) != 0;
}

static bool folder_take_history(struct society *society)
{
    struct folder_path heads = folder_below(society, "heads");
    struct dirent **names;
    bool taken = true;
    int count = scandir(heads.text, &names, folder_heads_only, alphasort);
    if (count < 0) {
        if (errno == ENOENT)
            return true;
        terminal_error("%s: %s", heads.text, strerror(errno));
        return false;
    }
    for (int i = 0; i < count; i++) {
        taken = taken && folder_take_epoch(society, folder_epoch_of(names[i]->d_name));
        free(names[i]);
    }
    free(names);
    return taken;
}

/* A crash between the last two steps of a commit leaves a pending head that is history already. */
static bool folder_take_pending(struct society *society)
{
    uint8_t *head = NULL, *items = NULL;
    size_t head_size, items_size;
    bool taken = true;
    struct folder_path head_path = folder_below(society, "pending/head");
    struct folder_path items_path = folder_below(society, "pending/items");
    if (access(head_path.text, F_OK) != 0)
        return true;
    if (!folder_read(&head_path, HEAD_SIZE_MAX, &head, &head_size) ||
        !folder_read(&items_path, DELTA_SIZE_MAX, &items, &items_size)) {
        taken = false;
    } else {
        taken = society_pending_read(society, (struct bytes){head, head_size},
                                     (struct bytes){items, items_size});
    }
    free(head);
    free(items);
    struct head_id id =
        roster_head_id((struct bytes){society->pending.body, society->pending.body_size});
    if (taken && chain_find(&society->roster.chain, &id) != NULL)
        return society_folder_discard(society);
    return taken;
}

/* ---- opening ---- */

static bool folder_lock(struct society *society)
{
    society->lock = open(society->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (society->lock < 0) {
        terminal_error("%s: %s; name the society's directory with --society", society->path,
                       strerror(errno));
        return false;
    }
    if (flock(society->lock, LOCK_EX | LOCK_NB) == 0)
        return true;
    terminal_error("%s is in use by another process", society->path);
    close(society->lock);
    return false;
}

static bool folder_make(const char *path)
{
    if (mkdir(path, FOLDER_MODE) == 0 || errno == EEXIST)
        return true;
    terminal_error("cannot make %s: %s", path, strerror(errno));
    return false;
}

static bool folder_make_all(const struct society *society)
{
    struct folder_path heads = folder_below(society, "heads");
    struct folder_path pending = folder_below(society, "pending");
    return folder_make(heads.text) && folder_make(pending.text);
}

static bool folder_check_state(const struct society *society, bool created)
{
    bool empty = !society->roster.filled && !society->pending.exists;
    if (created && !empty) {
        terminal_error("%s holds a federation already", society->path);
        return false;
    }
    if (!created && empty) {
        terminal_error("%s holds no federation; `consilium-society found` makes one, --society "
                       "names the directory",
                       society->path);
        return false;
    }
    return true;
}

bool society_folder_open(struct society *society, const char *path, bool created)
{
    struct roster_plan plan = roster_plan_full();
    struct node_id nobody = {{0}};
    memset(society, 0, sizeof *society);
    if (strlen(path) >= sizeof society->path) {
        terminal_error("the name of the directory is too long");
        return false;
    }
    memcpy(society->path, path, strlen(path) + 1);
    if (created && !folder_make(path))
        return false;
    if (!folder_lock(society))
        return false;
    society->roster_memory = malloc(roster_size(&plan));
    if (society->roster_memory == NULL) {
        terminal_error("%s", err_sentence(ERR_NO_MEMORY));
        close(society->lock);
        return false;
    }
    roster_init(&society->roster, &plan, society->roster_memory, &nobody, NULL);
    if ((!created || folder_make_all(society)) && folder_take_history(society) &&
        folder_take_pending(society) && folder_check_state(society, created))
        return true;
    society_folder_close(society);
    return false;
}

void society_folder_close(struct society *society)
{
    society_folder_forget_pending(&society->pending);
    free(society->roster_memory);
    close(society->lock);
}

/* ---- writing ---- */

static bool folder_write(const struct folder_path *path, struct bytes content)
{
    err failure = file_write(path->text, content, FOLDER_FILE_MODE);
    if (failure == OK)
        return true;
    terminal_error("cannot write %s: %s", path->text, terminal_reason(failure));
    return false;
}

static bool folder_write_both(struct society *society, const struct folder_path *items_path,
                              const struct folder_path *head_path)
{
    uint8_t memory[HEAD_SIZE_MAX];
    struct buffer head = buffer_over(memory, sizeof memory);
    struct buffer items;
    if (!society_pending_items(&society->pending, &items))
        return false;
    society_pending_head(&society->pending, &head);
    bool written = !head.failed && folder_write(items_path, buffer_bytes(&items)) &&
                   folder_write(head_path, buffer_bytes(&head));
    free(items.data);
    return written;
}

bool society_folder_save_pending(struct society *society)
{
    struct folder_path items = folder_below(society, "pending/items");
    struct folder_path head = folder_below(society, "pending/head");
    return folder_make_all(society) && folder_write_both(society, &items, &head);
}

bool society_folder_finish(struct society *society, uint64_t valid_days)
{
    return society_pending_finish(society, valid_days) && society_folder_save_pending(society);
}

bool society_folder_discard(struct society *society)
{
    struct folder_path items = folder_below(society, "pending/items");
    struct folder_path head = folder_below(society, "pending/head");
    society_folder_forget_pending(&society->pending);
    if ((unlink(head.text) == 0 || errno == ENOENT) &&
        (unlink(items.text) == 0 || errno == ENOENT) && file_sync_parent(head.text) == OK)
        return true;
    terminal_error("cannot remove %s: %s", head.text, strerror(errno));
    return false;
}

/* The delta before the head: a head in the history always has its content beside it. */
bool society_folder_commit(struct society *society)
{
    uint64_t epoch = society->pending.head.epoch;
    struct folder_path items = folder_of_epoch(society, epoch, "delta");
    struct folder_path head = folder_of_epoch(society, epoch, "head");
    if (!folder_make_all(society) || !folder_write_both(society, &items, &head))
        return false;
    return folder_take_epoch(society, epoch) && society_folder_discard(society);
}

void society_folder_forget_pending(struct society_pending *pending)
{
    free(pending->settings);
    free(pending->cuts);
    for (uint32_t i = 0; i < pending->member_count; i++)
        free(pending->members[i].packed);
    free(pending->members);
    memset(pending, 0, sizeof *pending);
}
