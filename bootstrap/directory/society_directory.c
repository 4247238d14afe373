#include "bootstrap/directory/society_directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bootstrap/directory/society_pending.h"
#include "bootstrap/terminal/terminal.h"
#include "node/os/file.h"

enum { DIRECTORY_MODE = 0755, DIRECTORY_FILE_MODE = 0644 };

struct directory_path {
    char text[PATH_MAX + 64];
};

static struct directory_path directory_of_epoch(const struct society *society, uint64_t epoch,
                                                const char *what)
{
    struct directory_path path;
    snprintf(path.text, sizeof path.text, "%s/heads/%08" PRIu64 ".%s", society->path, epoch, what);
    return path;
}

static struct directory_path directory_below(const struct society *society, const char *name)
{
    struct directory_path path;
    snprintf(path.text, sizeof path.text, "%s/%s", society->path, name);
    return path;
}

/* ---- reading ---- */

static bool directory_read(const struct directory_path *path, size_t size_max, uint8_t **ret_data,
                           size_t *ret_size)
{
    err failure = file_read(path->text, size_max, ret_data, ret_size);
    if (failure == OK)
        return true;
    terminal_error(
        "%s: %s; the copy of the directory is incomplete: copy it again from another officer",
        path->text, terminal_reason(failure));
    return false;
}

bool society_directory_read_head(const struct society *society, uint64_t epoch, uint8_t **ret_data,
                                 size_t *ret_size)
{
    struct directory_path path = directory_of_epoch(society, epoch, "head");
    return directory_read(&path, HEAD_SIZE_MAX, ret_data, ret_size);
}

bool society_directory_read_delta(const struct society *society, uint64_t epoch, uint8_t **ret_data,
                                  size_t *ret_size)
{
    struct directory_path path = directory_of_epoch(society, epoch, "delta");
    return directory_read(&path, DELTA_SIZE_MAX, ret_data, ret_size);
}

static bool directory_previous(const struct society *society, uint64_t epoch,
                               struct head_id *ret_id)
{
    uint8_t *data;
    size_t size;
    struct roster_head_signed signed_head;
    struct roster_head head;
    if (!society_directory_read_head(society, epoch, &data, &size))
        return false;
    bool read = roster_head_signed_read((struct bytes){data, size}, &signed_head) == OK &&
                roster_head_read(signed_head.body, &head) == OK;
    free(data);
    if (read)
        *ret_id = head.previous;
    return read;
}

uint32_t society_directory_epochs(const struct society *society, uint64_t *ret_epochs)
{
    const struct chain_link *link = chain_last(&society->roster.chain);
    uint32_t count = 0;
    while (link != NULL) {
        struct head_id previous;
        ret_epochs[count++] = link->epoch;
        if (link->epoch == ROSTER_HEAD_EPOCH_FIRST)
            break;
        if (!directory_previous(society, link->epoch, &previous))
            return 0;
        link = chain_find(&society->roster.chain, &previous);
    }
    for (uint32_t i = 0; i < count / 2; i++) {
        uint64_t held = ret_epochs[i];
        ret_epochs[i] = ret_epochs[count - 1 - i];
        ret_epochs[count - 1 - i] = held;
    }
    return count;
}

static err directory_apply(struct roster *roster, struct bytes head, struct bytes items)
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

static bool directory_take_epoch(struct society *society, uint64_t epoch)
{
    uint8_t *head = NULL, *items = NULL;
    size_t head_size, items_size;
    bool taken = false;
    if (society_directory_read_head(society, epoch, &head, &head_size) &&
        society_directory_read_delta(society, epoch, &items, &items_size)) {
        err failure = directory_apply(&society->roster, (struct bytes){head, head_size},
                                      (struct bytes){items, items_size});
        taken = failure == OK;
        if (!taken)
            terminal_error(
                "the head of epoch %" PRIu64
                " in %s/heads is not valid: %s; copy the directory again from another officer",
                epoch, society->path, err_sentence(failure));
    }
    free(head);
    free(items);
    return taken;
}

/* "00000012.head" is 12; 0 for any other name. */
static uint64_t directory_epoch_of(const char *name)
{
    char *end;
    if (strlen(name) != 13 || name[0] < '0' || name[0] > '9')
        return 0;
    unsigned long long epoch = strtoull(name, &end, 10);
    return strcmp(end, ".head") == 0 ? epoch : 0;
}

static int directory_heads_only(const struct dirent *entry)
{
    return directory_epoch_of(entry->d_name) != 0;
}

static bool directory_take_history(struct society *society)
{
    struct directory_path heads = directory_below(society, "heads");
    struct dirent **names;
    bool taken = true;
    int count = scandir(heads.text, &names, directory_heads_only, alphasort);
    if (count < 0) {
        if (errno == ENOENT)
            return true;
        terminal_error("%s: %s", heads.text, strerror(errno));
        return false;
    }
    for (int i = 0; i < count; i++) {
        taken = taken && directory_take_epoch(society, directory_epoch_of(names[i]->d_name));
        free(names[i]);
    }
    free(names);
    return taken;
}

/* A crash between the last two steps of a commit leaves a pending head that is in the history
 * already. */
static bool directory_take_pending(struct society *society)
{
    uint8_t *head = NULL, *items = NULL;
    size_t head_size, items_size;
    bool taken = true;
    struct directory_path head_path = directory_below(society, "pending/head");
    struct directory_path items_path = directory_below(society, "pending/items");
    if (access(head_path.text, F_OK) != 0)
        return true;
    if (!directory_read(&head_path, HEAD_SIZE_MAX, &head, &head_size) ||
        !directory_read(&items_path, DELTA_SIZE_MAX, &items, &items_size)) {
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
        return society_directory_discard(society);
    return taken;
}

/* ---- opening ---- */

static bool directory_lock(struct society *society)
{
    society->lock = open(society->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (society->lock < 0) {
        terminal_error("%s: %s; name the society's directory with --society", society->path,
                       strerror(errno));
        return false;
    }
    if (flock(society->lock, LOCK_EX | LOCK_NB) == 0)
        return true;
    terminal_error("another process uses %s; repeat the command when it has ended", society->path);
    close(society->lock);
    return false;
}

static bool directory_make(const char *path)
{
    if (mkdir(path, DIRECTORY_MODE) == 0 || errno == EEXIST)
        return true;
    terminal_error("cannot create %s: %s", path, strerror(errno));
    return false;
}

static bool directory_make_all(const struct society *society)
{
    struct directory_path heads = directory_below(society, "heads");
    struct directory_path pending = directory_below(society, "pending");
    return directory_make(heads.text) && directory_make(pending.text);
}

static bool directory_check_state(const struct society *society, bool created)
{
    bool empty = !society->roster.filled && !society->pending.exists;
    if (created && !empty) {
        terminal_error("%s holds a federation already; name another directory with --society",
                       society->path);
        return false;
    }
    if (!created && empty) {
        terminal_error("%s holds no federation; name its directory with --society, or begin one "
                       "with `consilium-society found`",
                       society->path);
        return false;
    }
    return true;
}

bool society_directory_open(struct society *society, const char *path, bool created)
{
    struct roster_plan plan = roster_plan_full();
    struct node_id nobody = {{0}};
    memset(society, 0, sizeof *society);
    if (strlen(path) >= sizeof society->path) {
        terminal_error("the path of the directory is too long; use a shorter one");
        return false;
    }
    memcpy(society->path, path, strlen(path) + 1);
    if (created && !directory_make(path))
        return false;
    if (!directory_lock(society))
        return false;
    society->roster_memory = malloc(roster_size(&plan));
    if (society->roster_memory == NULL) {
        terminal_error("%s", err_sentence(ERR_NO_MEMORY));
        close(society->lock);
        return false;
    }
    roster_init(&society->roster, &plan, society->roster_memory, &nobody, NULL);
    if ((!created || directory_make_all(society)) && directory_take_history(society) &&
        directory_take_pending(society) && directory_check_state(society, created))
        return true;
    society_directory_close(society);
    return false;
}

void society_directory_close(struct society *society)
{
    society_directory_forget_pending(&society->pending);
    free(society->roster_memory);
    close(society->lock);
}

/* ---- writing ---- */

static bool directory_write(const struct directory_path *path, struct bytes content)
{
    err failure = file_write(path->text, content, DIRECTORY_FILE_MODE);
    if (failure == OK)
        return true;
    terminal_error("cannot write %s: %s", path->text, terminal_reason(failure));
    return false;
}

static bool directory_write_both(struct society *society, const struct directory_path *items_path,
                                 const struct directory_path *head_path)
{
    uint8_t memory[HEAD_SIZE_MAX];
    struct buffer head = buffer_over(memory, sizeof memory);
    struct buffer items;
    if (!society_pending_items(&society->pending, &items))
        return false;
    society_pending_head(&society->pending, &head);
    bool written = !head.failed && directory_write(items_path, buffer_bytes(&items)) &&
                   directory_write(head_path, buffer_bytes(&head));
    free(items.data);
    return written;
}

bool society_directory_save_pending(struct society *society)
{
    struct directory_path items = directory_below(society, "pending/items");
    struct directory_path head = directory_below(society, "pending/head");
    return directory_make_all(society) && directory_write_both(society, &items, &head);
}

bool society_directory_finish(struct society *society, uint64_t valid_days)
{
    return society_pending_finish(society, valid_days) && society_directory_save_pending(society);
}

bool society_directory_discard(struct society *society)
{
    struct directory_path items = directory_below(society, "pending/items");
    struct directory_path head = directory_below(society, "pending/head");
    society_directory_forget_pending(&society->pending);
    if ((unlink(head.text) == 0 || errno == ENOENT) &&
        (unlink(items.text) == 0 || errno == ENOENT) && file_sync_parent(head.text) == OK)
        return true;
    terminal_error("cannot remove %s: %s", head.text, strerror(errno));
    return false;
}

/* The delta before the head: a head in the history always has its content beside it. */
bool society_directory_commit(struct society *society)
{
    uint64_t epoch = society->pending.head.epoch;
    struct directory_path items = directory_of_epoch(society, epoch, "delta");
    struct directory_path head = directory_of_epoch(society, epoch, "head");
    if (!directory_make_all(society) || !directory_write_both(society, &items, &head))
        return false;
    return directory_take_epoch(society, epoch) && society_directory_discard(society);
}

void society_directory_forget_pending(struct society_pending *pending)
{
    free(pending->settings);
    free(pending->cuts);
    for (uint32_t i = 0; i < pending->member_count; i++)
        free(pending->members[i].packed);
    free(pending->members);
    memset(pending, 0, sizeof *pending);
}
