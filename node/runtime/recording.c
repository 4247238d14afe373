#include "node/runtime/recording.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "node/os/file.h"
#include "node/os/log.h"
#include "protocol/roster/roster_export.h"

/* A file is RECORDING_MAGIC, the header of a secretstream, then for each entry the size of its box
 * (4 bytes) and the box: kind (1 byte), content. */
#define RECORDING_MAGIC "consilium recording 1\n"

enum {
    RECORDING_MAGIC_SIZE = sizeof RECORDING_MAGIC - 1,
    RECORDING_KEY_SIZE = crypto_secretstream_xchacha20poly1305_KEYBYTES,
    RECORDING_HEADER_SIZE = crypto_secretstream_xchacha20poly1305_HEADERBYTES,
    RECORDING_BOX_OVERHEAD = crypto_secretstream_xchacha20poly1305_ABYTES,
    RECORDING_ENTRY_SIZE_MAX = 1 + EVENT_CODEC_EVENT_SIZE_MAX,
};

/* What tells one state of a roster from the one before. */
struct recording_mark {
    uint32_t head_count;
    struct head_id last;
    struct head_id filled;
    uint64_t cooling_off_ms;
    uint64_t held_until_ms;
};

struct recording {
    FILE *file;
    char path[RECORDING_PATH_SIZE];
    size_t directory_size; /* of `path` */
    size_t prefix_size;    /* of `path`: what all recordings of this federation begin with */
    const struct roster *roster;
    struct recording_mark mark;
    bool has_mark;
    uint64_t size;
    crypto_secretstream_xchacha20poly1305_state state;
    uint8_t *entry; /* RECORDING_ENTRY_SIZE_MAX; mapped, and touched as far as it is used */
    uint8_t *box;
};

/* ---- writing ---- */

static void recording_stop(struct recording *recording, const char *why)
{
    log_warn("recording-ended", log_text("file", recording->path), log_text("why", why));
    (void)fclose(recording->file);
    recording->file = NULL;
}

static void recording_put(struct recording *recording, const struct buffer *entry)
{
    uint8_t size[4], tag = entry->size > 0 && entry->data[0] == RECORDING_END
                               ? crypto_secretstream_xchacha20poly1305_TAG_FINAL
                               : crypto_secretstream_xchacha20poly1305_TAG_MESSAGE;
    struct buffer prefix = buffer_over(size, sizeof size);
    size_t box_size = entry->size + RECORDING_BOX_OVERHEAD;
    if (recording->file == NULL)
        return;
    if (entry->failed || recording->size + box_size > RECORDING_SIZE_MAX) {
        recording_stop(recording, entry->failed ? "too large an event" : "its file is full");
        return;
    }
    buffer_u32(&prefix, (uint32_t)box_size);
    bool is_sealed =
        crypto_secretstream_xchacha20poly1305_push(&recording->state, recording->box, NULL,
                                                   entry->data, entry->size, NULL, 0, tag) == 0;
    if (!is_sealed || fwrite(size, sizeof size, 1, recording->file) != 1 ||
        fwrite(recording->box, box_size, 1, recording->file) != 1 || fflush(recording->file) != 0) {
        recording_stop(recording, strerror(errno));
        return;
    }
    recording->size += sizeof size + box_size;
}

static struct buffer recording_entry(struct recording *recording, enum recording_kind kind)
{
    struct buffer entry = buffer_over(recording->entry, RECORDING_ENTRY_SIZE_MAX);
    buffer_u8(&entry, (uint8_t)kind);
    return entry;
}

static struct recording_mark recording_mark_of(const struct roster *roster)
{
    struct recording_mark mark;
    const struct chain_link *last = chain_last(&roster->chain);
    memset(&mark, 0, sizeof mark); /* compared as bytes */
    mark.head_count = roster->chain.count;
    if (last != NULL)
        mark.last = last->id;
    if (roster->filled)
        mark.filled = roster_current_id(roster);
    mark.cooling_off_ms = roster->held_cooling_off_ms;
    mark.held_until_ms = roster->held_until.ms;
    return mark;
}

static void recording_roster(struct recording *recording)
{
    struct recording_mark mark = recording_mark_of(recording->roster);
    if (recording->has_mark && memcmp(&mark, &recording->mark, sizeof mark) == 0)
        return;
    recording->mark = mark;
    recording->has_mark = true;
    struct buffer entry = recording_entry(recording, RECORDING_ROSTER);
    if (mark.head_count > 0)
        roster_export_write(recording->roster, &entry);
    recording_put(recording, &entry);
}

void recording_event(struct recording *recording, const struct event *event)
{
    if (recording == NULL || recording->file == NULL)
        return;
    recording_roster(recording);
    struct buffer entry = recording_entry(recording, RECORDING_EVENT);
    event_codec_event_write(event, &entry);
    recording_put(recording, &entry);
}

void recording_effects(struct recording *recording, const struct step *step)
{
    if (recording == NULL || recording->file == NULL)
        return;
    struct hash sum = event_codec_effects(step);
    struct buffer entry = recording_entry(recording, RECORDING_EFFECTS);
    buffer_put(&entry, sum.bytes, sizeof sum.bytes);
    recording_put(recording, &entry);
}

static bool recording_is_one(const struct recording *recording, const char *name,
                             const char *ending)
{
    const char *prefix = recording->path + recording->directory_size + 1;
    size_t prefix_size = recording->prefix_size - recording->directory_size - 1;
    size_t size = strlen(name), ending_size = strlen(ending);
    return size > prefix_size + ending_size && strncmp(name, prefix, prefix_size) == 0 &&
           strcmp(name + size - ending_size, ending) == 0;
}

static void recording_delete(const struct recording *recording, DIR *directory, const char *ending)
{
    struct dirent *entry;
    rewinddir(directory);
    while ((entry = readdir(directory)) != NULL) {
        if (recording_is_one(recording, entry->d_name, ending) &&
            unlinkat(dirfd(directory), entry->d_name, 0) != 0)
            log_error("recording-not-deleted", log_text("file", entry->d_name),
                      log_text("why", strerror(errno)),
                      log_text("do", "delete it: it holds an erased case"));
    }
}

void recording_forget(struct recording *recording)
{
    char path[RECORDING_PATH_SIZE];
    if (recording == NULL)
        return;
    if (recording->file != NULL)
        recording_stop(recording, "a case is erased, so it is deleted");
    (void)snprintf(path, sizeof path, "%.*s", (int)recording->directory_size, recording->path);
    DIR *directory = opendir(path);
    if (directory == NULL) {
        log_error("recordings-not-deleted", log_text("directory", path),
                  log_text("why", strerror(errno)),
                  log_text("do", "delete them: they hold an erased case"));
        return;
    }
    recording_delete(recording, directory, ".recording.key");
    recording_delete(recording, directory, ".recording");
    (void)fsync(dirfd(directory));
    (void)closedir(directory);
}

void recording_end(struct recording *recording)
{
    if (recording == NULL)
        return;
    if (recording->file != NULL) {
        struct buffer entry = recording_entry(recording, RECORDING_END);
        recording_put(recording, &entry);
    }
    if (recording->file != NULL)
        (void)fclose(recording->file);
    sodium_memzero(&recording->state, sizeof recording->state);
    free(recording->entry);
    free(recording->box);
    free(recording);
}

static err recording_create(struct recording *recording, const char *directory, const char *name)
{
    char stamp[32], key_path[RECORDING_PATH_SIZE + 8];
    uint8_t key[RECORDING_KEY_SIZE], header[RECORDING_HEADER_SIZE];
    time_t now = time(NULL);
    struct tm utc;
    (void)strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", gmtime_r(&now, &utc));
    int length = snprintf(recording->path, sizeof recording->path, "%s/%s-%s.recording", directory,
                          name, stamp);
    if (length < 0 || (size_t)length >= sizeof recording->path) {
        errno = ENAMETOOLONG;
        return ERR_IO;
    }
    recording->directory_size = strlen(directory);
    recording->prefix_size = recording->directory_size + 1 + strlen(name) + 1;
    (void)snprintf(key_path, sizeof key_path, "%s.key", recording->path);
    crypto_secretstream_xchacha20poly1305_keygen(key);
    err failure = file_create(key_path, (struct bytes){key, sizeof key}, 0600);
    int fd =
        failure == OK ? open(recording->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
    recording->file = fd < 0 ? NULL : fdopen(fd, "wb");
    if (recording->file == NULL)
        failure = failure == ERR_EXISTS ? failure : ERR_IO;
    else if (crypto_secretstream_xchacha20poly1305_init_push(&recording->state, header, key) != 0 ||
             fwrite(RECORDING_MAGIC, RECORDING_MAGIC_SIZE, 1, recording->file) != 1 ||
             fwrite(header, sizeof header, 1, recording->file) != 1)
        failure = ERR_IO;
    sodium_memzero(key, sizeof key);
    return failure;
}

err recording_begin(const char *directory, const char *name, const struct engine_config *config,
                    struct recording **ret_recording)
{
    struct recording *recording = calloc(1, sizeof *recording);
    err failure = ERR_NO_MEMORY;
    if (recording != NULL) {
        recording->roster = config->roster;
        recording->entry = malloc(RECORDING_ENTRY_SIZE_MAX);
        recording->box = malloc(RECORDING_ENTRY_SIZE_MAX + RECORDING_BOX_OVERHEAD);
        if (recording->entry != NULL && recording->box != NULL)
            failure = recording_create(recording, directory, name);
    }
    if (failure != OK) {
        int reason = errno;
        if (recording != NULL && recording->file != NULL)
            (void)fclose(recording->file);
        if (recording != NULL)
            recording->file = NULL;
        recording_end(recording);
        errno = reason;
        return failure;
    }
    struct buffer entry = recording_entry(recording, RECORDING_CONFIG);
    event_codec_config_write(config, &entry);
    recording_put(recording, &entry);
    log_warn("recording", log_text("file", recording->path),
             log_text("do", "keep it as safe as the store: with its .key it opens all cases"));
    *ret_recording = recording;
    return OK;
}

/* ---- reading ---- */

struct recording_reader {
    FILE *file;
    crypto_secretstream_xchacha20poly1305_state state;
    uint8_t *entry;
    uint8_t *box;
};

static err recording_read_start(struct recording_reader *reader, const char *key_path)
{
    uint8_t magic[RECORDING_MAGIC_SIZE], header[RECORDING_HEADER_SIZE], *key = NULL;
    size_t key_size = 0;
    err failure = file_read_private(key_path, RECORDING_KEY_SIZE, &key, &key_size);
    if (failure != OK)
        return failure;
    if (key_size != RECORDING_KEY_SIZE || fread(magic, sizeof magic, 1, reader->file) != 1 ||
        memcmp(magic, RECORDING_MAGIC, sizeof magic) != 0 ||
        fread(header, sizeof header, 1, reader->file) != 1 ||
        crypto_secretstream_xchacha20poly1305_init_pull(&reader->state, header, key) != 0)
        failure = ERR_MALFORMED;
    file_wipe(key, key_size);
    return failure;
}

err recording_open(const char *path, const char *key_path, struct recording_reader **ret_reader)
{
    struct recording_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL)
        return ERR_NO_MEMORY;
    reader->entry = malloc(RECORDING_ENTRY_SIZE_MAX);
    reader->box = malloc(RECORDING_ENTRY_SIZE_MAX + RECORDING_BOX_OVERHEAD);
    reader->file = fopen(path, "rb");
    err failure = reader->entry == NULL || reader->box == NULL ? ERR_NO_MEMORY : OK;
    if (failure == OK && reader->file == NULL)
        failure = errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
    if (failure == OK)
        failure = recording_read_start(reader, key_path);
    if (failure != OK) {
        recording_close(reader);
        return failure;
    }
    *ret_reader = reader;
    return OK;
}

err recording_next(struct recording_reader *reader, struct recording_entry *ret_entry)
{
    uint8_t prefix[4], tag = 0;
    unsigned long long size = 0;
    struct reader number = reader_of((struct bytes){prefix, sizeof prefix});
    if (fread(prefix, 1, sizeof prefix, reader->file) != sizeof prefix)
        return ERR_TRUNCATED;
    size_t box_size = reader_u32(&number);
    if (box_size <= RECORDING_BOX_OVERHEAD ||
        box_size > RECORDING_ENTRY_SIZE_MAX + RECORDING_BOX_OVERHEAD)
        return ERR_MALFORMED;
    if (fread(reader->box, 1, box_size, reader->file) != box_size)
        return ERR_TRUNCATED;
    if (crypto_secretstream_xchacha20poly1305_pull(&reader->state, reader->entry, &size, &tag,
                                                   reader->box, box_size, NULL, 0) != 0)
        return ERR_MALFORMED;
    ret_entry->kind = (enum recording_kind)reader->entry[0];
    if ((ret_entry->kind == RECORDING_END) !=
        (tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL))
        return ERR_MALFORMED;
    ret_entry->content = (struct bytes){reader->entry + 1, (size_t)size - 1};
    return OK;
}

void recording_close(struct recording_reader *reader)
{
    if (reader == NULL)
        return;
    if (reader->file != NULL)
        (void)fclose(reader->file);
    sodium_memzero(&reader->state, sizeof reader->state);
    free(reader->entry);
    free(reader->box);
    free(reader);
}
