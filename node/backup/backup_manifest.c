#include "node/backup/backup_manifest.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "node/os/file.h"
#include "protocol/base/hash.h"

enum { MANIFEST_SIZE_MAX = 16384, MANIFEST_VERSION = 1, LAST_SIZE_MAX = 64 };

static const char manifest_seal[] = "seal ";

bool backup_manifest_is_name(const char *name)
{
    size_t size = strlen(name);
    return size > 0 && size < BACKUP_NAME_SIZE &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == size;
}

static struct hash manifest_hash(const uint8_t *store_key, struct bytes lines)
{
    const struct bytes parts[] = {{store_key, KEY_SIZE}, lines};
    return hash_parts(CONTEXT_BACKUP, parts, 2);
}

/* ---- writing ---- */

static void manifest_line(struct buffer *buffer, const char *text)
{
    buffer_put(buffer, text, strlen(text));
}

err backup_manifest_write(const struct backup_manifest *manifest,
                          const uint8_t store_key[static KEY_SIZE], const char *path)
{
    uint8_t memory[MANIFEST_SIZE_MAX];
    struct buffer buffer = buffer_over(memory, sizeof memory);
    char line[512], digits[2 * HASH_SIZE + 1];
    ids_to_hex(ID_BYTES(manifest->node), digits);
    (void)snprintf(line, sizeof line, "consilium backup %d\nmade %" PRIu64 "\nnode %s\n",
                   MANIFEST_VERSION, manifest->made_at.ms, digits);
    manifest_line(&buffer, line);
    (void)snprintf(line, sizeof line, "institution %s\nprogram " CONSILIUM_VERSION "\n",
                   manifest->institution);
    manifest_line(&buffer, line);
    for (size_t i = 0; i < manifest->store_count; i++) {
        const struct backup_store *store = &manifest->stores[i];
        (void)snprintf(line, sizeof line,
                       "store %s %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", store->name,
                       store->count.records, store->count.damaged, store->count.items,
                       store->count.items_lost);
        manifest_line(&buffer, line);
    }
    const struct hash seal = manifest_hash(store_key, buffer_bytes(&buffer));
    ids_to_hex(ID_BYTES(seal), digits);
    (void)snprintf(line, sizeof line, "%s%s\n", manifest_seal, digits);
    manifest_line(&buffer, line);
    return buffer.failed ? ERR_TOO_LARGE : file_create(path, buffer_bytes(&buffer), 0600);
}

/* ---- reading ---- */

static err manifest_load(const char *path, char **ret_text)
{
    uint8_t *data;
    size_t size;
    err failure = file_read(path, MANIFEST_SIZE_MAX, &data, &size);
    if (failure != OK)
        return failure == ERR_NOT_FOUND || failure == ERR_IO || failure == ERR_NO_MEMORY
                   ? failure
                   : ERR_MALFORMED;
    if (strlen((char *)data) != size) {
        free(data);
        return ERR_MALFORMED;
    }
    *ret_text = (char *)data;
    return OK;
}

static bool manifest_store(const char *line, struct backup_manifest *manifest)
{
    struct backup_store store;
    if (manifest->store_count == BACKUP_STORE_COUNT_MAX ||
        sscanf(line, "store %63s %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64, store.name,
               &store.count.records, &store.count.damaged, &store.count.items,
               &store.count.items_lost) != 5 ||
        !backup_manifest_is_name(store.name))
        return false;
    manifest->stores[manifest->store_count++] = store;
    return true;
}

/* Lines of other words are passed over: a later program may add some. */
static bool manifest_take(const char *line, struct backup_manifest *manifest)
{
    static const char institution[] = "institution ";
    if (strncmp(line, "store ", 6) == 0)
        return manifest_store(line, manifest);
    if (strncmp(line, "made ", 5) == 0)
        return sscanf(line, "made %" SCNu64, &manifest->made_at.ms) == 1;
    if (strncmp(line, "node ", 5) == 0)
        return ids_from_hex(line + 5, manifest->node.bytes, NODE_ID_SIZE) == OK;
    if (strncmp(line, institution, strlen(institution)) == 0)
        (void)snprintf(manifest->institution, sizeof manifest->institution, "%s",
                       line + strlen(institution));
    return true;
}

static err manifest_parse(char *text, struct backup_manifest *ret_manifest)
{
    struct backup_manifest manifest = {.store_count = 0};
    char *rest = NULL;
    int version = 0;
    char *line = strtok_r(text, "\n", &rest);
    if (line == NULL || sscanf(line, "consilium backup %d", &version) != 1)
        return ERR_MALFORMED;
    if (version != MANIFEST_VERSION)
        return ERR_VERSION;
    while ((line = strtok_r(NULL, "\n", &rest)) != NULL) {
        if (!manifest_take(line, &manifest))
            return ERR_MALFORMED;
    }
    if (manifest.made_at.ms == 0 || manifest.store_count == 0)
        return ERR_MALFORMED;
    *ret_manifest = manifest;
    return OK;
}

err backup_manifest_read(const char *path, struct backup_manifest *ret_manifest)
{
    char *text;
    err failure = manifest_load(path, &text);
    if (failure != OK)
        return failure;
    failure = manifest_parse(text, ret_manifest);
    free(text);
    return failure;
}

err backup_manifest_prove(const char *path, const uint8_t store_key[static KEY_SIZE])
{
    char *text;
    struct hash seal;
    err failure = manifest_load(path, &text);
    if (failure != OK)
        return failure;
    char *last = strstr(text, "\nseal ");
    failure = ERR_BAD_KEY;
    if (last != NULL) {
        last[1 + strlen(manifest_seal) + 2 * HASH_SIZE] = '\0';
        const struct hash wanted =
            manifest_hash(store_key, (struct bytes){(uint8_t *)text, (size_t)(last + 1 - text)});
        if (ids_from_hex(last + 1 + strlen(manifest_seal), seal.bytes, HASH_SIZE) == OK &&
            ID_EQUAL(seal, wanted))
            failure = OK;
    }
    free(text);
    return failure;
}

/* ---- age ---- */

uint64_t backup_age_days(struct wall made_at, struct wall now)
{
    return now.ms <= made_at.ms ? 0 : (now.ms - made_at.ms) / (24 * 60 * 60 * 1000);
}

void backup_date(struct wall made_at, unsigned days, char ret_text[static BACKUP_DATE_SIZE])
{
    time_t seconds = (time_t)(made_at.ms / 1000) + (time_t)days * 24 * 60 * 60;
    struct tm parts;
    ret_text[0] = '\0';
    if (gmtime_r(&seconds, &parts) != NULL)
        (void)strftime(ret_text, BACKUP_DATE_SIZE, "%Y-%m-%d %H:%M UTC", &parts);
}

/* ---- the last one ---- */

static bool last_path(const char *data, char ret_path[static BACKUP_PATH_SIZE])
{
    int size = snprintf(ret_path, BACKUP_PATH_SIZE, "%s/last-backup", data);
    return size > 0 && size < BACKUP_PATH_SIZE;
}

err backup_last_write(const char *data, struct wall made_at)
{
    char path[BACKUP_PATH_SIZE], text[LAST_SIZE_MAX];
    (void)snprintf(text, sizeof text, "%" PRIu64 "\n", made_at.ms);
    return last_path(data, path) ? file_write(path, bytes_of_text(text), 0600) : ERR_TOO_LARGE;
}

bool backup_last_read(const char *data, struct wall *ret_made_at)
{
    char path[BACKUP_PATH_SIZE];
    uint8_t *text;
    size_t size;
    if (!last_path(data, path) || file_read(path, LAST_SIZE_MAX, &text, &size) != OK)
        return false;
    bool is_read = sscanf((char *)text, "%" SCNu64, &ret_made_at->ms) == 1;
    free(text);
    return is_read;
}
