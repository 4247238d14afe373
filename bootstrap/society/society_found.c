#include "bootstrap/society/society_found.h"

#include <stdlib.h>
#include <string.h>

#include "bootstrap/directory/officer_names.h"
#include "bootstrap/directory/society_key.h"
#include "bootstrap/directory/society_pending.h"
#include "bootstrap/society/society_settings.h"
#include "bootstrap/terminal/terminal.h"

/* The boards of a federation that names none. */
static const char *const found_boards[] = {
    "cardiology=Cardiology",     "hematology/bmt=Hematology and bone marrow transplantation",
    "neurosurgery=Neurosurgery", "oncology=Oncology",
    "orthopedics=Orthopedics",   "pathology=Pathology",
    "radiology=Radiology",       "rare-diseases=Rare diseases",
};

/* ---- officers ---- */

static bool found_insert(struct officers *officers, const uint8_t key[static KEY_SIZE])
{
    uint32_t at = officers->count;
    for (uint32_t i = 0; i < officers->count; i++) {
        if (memcmp(officers->keys[i].bytes, key, KEY_SIZE) == 0)
            return false;
    }
    while (at > 0 && memcmp(officers->keys[at - 1].bytes, key, KEY_SIZE) > 0) {
        officers->keys[at] = officers->keys[at - 1];
        at--;
    }
    memcpy(officers->keys[at].bytes, key, KEY_SIZE);
    officers->count++;
    return true;
}

/* Sorted by key, and as the command line names them. */
struct found_officers {
    struct officers officers;
    struct society_public named[OFFICER_COUNT_MAX];
};

static bool found_read_officers(const struct society_options *options, struct found_officers *ret)
{
    struct officers officers = {.threshold = (uint32_t)options->threshold};
    if (options->officer_count == 0 || options->officer_count > OFFICER_COUNT_MAX) {
        terminal_error("name 1 to %d officers, each with --officer KEY-OR-FILE", OFFICER_COUNT_MAX);
        return false;
    }
    for (uint32_t i = 0; i < options->officer_count; i++) {
        if (!society_key_read(options->officers[i], KEYFILE_OFFICER, &ret->named[i]))
            return false;
        if (!found_insert(&officers, ret->named[i].key)) {
            terminal_error(
                "`%s` is the key of an officer who was named before; name each officer once",
                options->officers[i]);
            return false;
        }
    }
    if (options->threshold == 0 || options->threshold > officers.count) {
        terminal_error("--threshold must say how many of the %u officers sign each head: 1 to %u",
                       officers.count, officers.count);
        return false;
    }
    ret->officers = officers;
    return true;
}

static void found_note_names(const struct society *society, const struct found_officers *found)
{
    for (uint32_t i = 0; i < found->officers.count; i++) {
        struct sign_key key;
        memcpy(key.bytes, found->named[i].key, KEY_SIZE);
        officer_names_note(society, &key, found->named[i].name);
    }
}

static void found_warn(const struct officers *officers)
{
    if (officers->threshold == officers->count)
        terminal_warning("all %u officers must sign each head: after one key is lost, no member "
                         "can ever be admitted or removed again; a threshold of %u is safer",
                         officers->count, officers->count > 1 ? officers->count - 1 : 1);
    if (officers->threshold == 1)
        terminal_warning("one officer alone can admit and remove members, and so can anybody who "
                         "steals one key");
}

/* ---- commands ---- */

static int found_settle(struct society *society, const struct society_options *options,
                        const struct found_officers *found)
{
    const struct officers *officers = &found->officers;
    struct settings settings;
    settings_init(&settings);
    settings.name = bytes_of_text(options->own.name);
    const char *const *boards = found_boards;
    uint32_t count = sizeof found_boards / sizeof found_boards[0];
    if (options->board_count > 0) {
        boards = options->boards;
        count = options->board_count;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!society_settings_add_board(&settings, boards[i]))
            return 1;
    }
    if (!society_settings_from_options(&settings, options) || !society_pending_begin(society))
        return 1;
    society->pending.head.officers = *officers;
    if (!society_pending_put_settings(society, &settings) ||
        !society_directory_finish(society, options->valid_days))
        return 1;
    found_note_names(society, found);
    printf("The founding head of `%s` is prepared. Now each of its %u officers signs it:\n"
           "  consilium-society sign --society %s --key FOLDER-OF-THE-OFFICER\n",
           options->own.name, officers->count, options->society);
    return 0;
}

int society_found_federation(const struct society_options *options)
{
    struct found_officers officers;
    if (options->own.name == NULL)
        return terminal_usage("name the federation with --name");
    if (!found_read_officers(options, &officers))
        return 1;
    struct society *society = malloc(sizeof *society);
    if (society == NULL)
        return terminal_error("%s", err_sentence(ERR_NO_MEMORY));
    int status = 1;
    if (society_directory_open(society, options->society, true)) {
        found_warn(&officers.officers);
        status = found_settle(society, options, &officers);
        society_directory_close(society);
    }
    free(society);
    return status;
}

static int found_replace(struct society *society, const struct society_options *options)
{
    struct found_officers found;
    if (!found_read_officers(options, &found) || !society_pending_begin(society))
        return 1;
    found_warn(&found.officers);
    society->pending.head.officers = found.officers;
    if (!society_directory_finish(society, options->valid_days))
        return 1;
    found_note_names(society, &found);
    printf("Prepared: %u officers, %u of whom sign each head from the next one on.\n",
           found.officers.count, found.officers.threshold);
    return 0;
}

int society_found_officers(const struct society_options *options)
{
    struct society *society = malloc(sizeof *society);
    if (society == NULL)
        return terminal_error("%s", err_sentence(ERR_NO_MEMORY));
    int status = 1;
    if (society_directory_open(society, options->society, false)) {
        status = found_replace(society, options);
        society_directory_close(society);
    }
    free(society);
    return status;
}
