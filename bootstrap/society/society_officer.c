#include "bootstrap/society/society_officer.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "bootstrap/directory/officer_names.h"
#include "bootstrap/directory/society_directory.h"
#include "bootstrap/directory/society_key.h"
#include "bootstrap/directory/society_pending.h"
#include "bootstrap/present/society_changes.h"
#include "bootstrap/present/society_text.h"
#include "bootstrap/terminal/terminal.h"
#include "node/os/file.h"

int society_officer_init(const struct society_options *options)
{
    return society_key_init(&society_key_officer, &options->own);
}

/* ---- what this key signed last ---- */

struct officer_memory {
    char path[PATH_MAX + 16];
    uint64_t epoch;
    struct head_id id;
};

static void officer_recall(const char *folder, struct officer_memory *ret_memory)
{
    uint8_t *data;
    size_t size;
    char hex[2 * HASH_SIZE + 1];
    memset(ret_memory, 0, sizeof *ret_memory);
    snprintf(ret_memory->path, sizeof ret_memory->path, "%s/signed", folder);
    if (file_read(ret_memory->path, 256, &data, &size) != OK)
        return;
    uint64_t epoch;
    if (sscanf((const char *)data, "%" SCNu64 " %64s", &epoch, hex) == 2 &&
        ids_from_hex(hex, ret_memory->id.bytes, HASH_SIZE) == OK)
        ret_memory->epoch = epoch;
    free(data);
}

static bool officer_remember(const struct officer_memory *memory)
{
    char hex[2 * HASH_SIZE + 1], text[128];
    ids_to_hex(ID_BYTES(memory->id), hex);
    snprintf(text, sizeof text, "%" PRIu64 " %s\n", memory->epoch, hex);
    err failure = file_write(memory->path, bytes_of_text(text), 0600);
    if (failure != OK)
        terminal_error("cannot write %s: %s", memory->path, terminal_reason(failure));
    return failure == OK;
}

/* ROSTER-44: an officer signs one head for each epoch; a second one would split the federation. */
static bool officer_may_sign(const struct officer_memory *memory, const struct society *society,
                             const struct society_options *options)
{
    const struct society_pending *pending = &society->pending;
    struct head_id id = roster_head_id((struct bytes){pending->body, pending->body_size});
    if (pending->head.epoch > memory->epoch || ID_EQUAL(id, memory->id) || options->replace)
        return true;
    terminal_error("this key has signed another head at epoch %" PRIu64
                   "; two heads at one epoch split the federation. Ask the other officers; if all "
                   "of them have discarded that head, repeat with --replace",
                   memory->epoch);
    return false;
}

/* ---- signing ---- */

/* The index of this key among those who sign; `count` when it is not among them. */
static uint32_t officer_place(const struct officers *officers, const uint8_t key[static KEY_SIZE])
{
    uint32_t at = 0;
    while (at < officers->count && memcmp(officers->keys[at].bytes, key, KEY_SIZE) != 0)
        at++;
    return at;
}

static void officer_insert(struct society_pending *pending, uint32_t officer,
                           const struct signature *signature)
{
    uint32_t at = pending->signature_count++;
    while (at > 0 && pending->signatures[at - 1].officer > officer) {
        pending->signatures[at] = pending->signatures[at - 1];
        at--;
    }
    pending->signatures[at].officer = officer;
    pending->signatures[at].signature = *signature;
}

static bool officer_add_signature(struct society *society, const struct society_options *options,
                                  uint32_t officer)
{
    struct society_pending *pending = &society->pending;
    struct bytes body = {pending->body, pending->body_size};
    struct secure_arena *arena;
    const uint8_t *secret;
    struct signature signature;
    struct officer_memory memory;
    officer_recall(options->own.folder, &memory);
    if (!officer_may_sign(&memory, society, options) ||
        !society_key_open(&society_key_officer, &options->own, &arena, &secret))
        return false;
    memory.epoch = pending->head.epoch;
    memory.id = roster_head_id(body);
    bool remembered = officer_remember(&memory);
    if (remembered)
        roster_head_sign(body, secret, &signature);
    secure_arena_free(arena);
    if (remembered)
        officer_insert(pending, officer, &signature);
    return remembered;
}

static int officer_finish(struct society *society)
{
    uint32_t needed = society_pending_needed(society);
    uint32_t have = society->pending.signature_count;
    uint64_t epoch = society->pending.head.epoch;
    if (have < needed) {
        if (!society_directory_save_pending(society))
            return 1;
        printf("Signed. %u of %u signatures are there; %u more officer%s must sign:\n", have,
               needed, needed - have, needed - have == 1 ? "" : "s");
        society_changes_signers(society);
        return 0;
    }
    if (!society_directory_commit(society))
        return 1;
    printf("Signed. The head of epoch %" PRIu64 " has its %u signature%s and is in force.\n", epoch,
           have, have == 1 ? "" : "s");
    society_text_identity(society);
    if (roster_settings(&society->roster)->relay_count > 0)
        puts("Now `publish` it to the relays.");
    return 0;
}

static int officer_sign(struct society *society, const struct society_options *options)
{
    struct society_public own;
    struct sign_key key;
    if (!society->pending.exists)
        return terminal_error("no head is pending; prepare a change first (admit, suspend, ...)");
    if (!society_key_peek(&society_key_officer, options->own.folder, &own))
        return 1;
    struct officers officers = society_pending_officers(society);
    uint32_t officer = officer_place(&officers, own.key);
    if (officer == officers.count)
        return terminal_error("the key in %s is not one of the %u officers who sign this head",
                              options->own.folder, officers.count);
    if (society_pending_signed_by(&society->pending, officer))
        return terminal_error("this officer has signed the pending head already; %u of %u "
                              "signatures are there",
                              society->pending.signature_count, society_pending_needed(society));
    memcpy(key.bytes, own.key, KEY_SIZE);
    officer_names_note(society, &key, own.name);
    society_changes_show(society);
    if (!options->yes && !terminal_confirm("Sign this head? Type yes:", "--yes"))
        return 1;
    return officer_add_signature(society, options, officer) ? officer_finish(society) : 1;
}

int society_officer_sign(const struct society_options *options)
{
    struct society *society = malloc(sizeof *society);
    if (society == NULL)
        return terminal_error("%s", err_sentence(ERR_NO_MEMORY));
    int status = 1;
    if (options->own.folder == NULL) {
        status = terminal_usage("name the folder of your key with --key");
    } else if (society_directory_open(society, options->society, false)) {
        status = officer_sign(society, options);
        society_directory_close(society);
    }
    free(society);
    return status;
}
