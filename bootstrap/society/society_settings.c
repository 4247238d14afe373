#include "bootstrap/society/society_settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bootstrap/directory/society_key.h"
#include "bootstrap/directory/society_pending.h"
#include "bootstrap/present/society_text.h"
#include "bootstrap/relay/relay_key.h"
#include "bootstrap/terminal/terminal.h"
#include "protocol/member/endpoint.h"
#include "protocol/member/tag.h"

#define SETTINGS_HOUR_MS ((uint64_t)60 * 60 * 1000)

/* ---- the frame of each command: open, change, save ---- */

static bool settings_apply(struct society *society, const struct society_options *options,
                           bool (*change)(struct settings *, const struct society_options *))
{
    struct settings settings;
    society_pending_settings(society, &settings);
    if (!society_pending_begin(society) || !change(&settings, options) ||
        !society_pending_put_settings(society, &settings) ||
        !society_directory_finish(society, options->valid_days))
        return false;
    printf("Prepared for the head of epoch %llu; now the officers `sign` it.\n",
           (unsigned long long)society->pending.head.epoch);
    return true;
}

static int settings_change(const struct society_options *options,
                           bool (*change)(struct settings *, const struct society_options *))
{
    struct society *society = malloc(sizeof *society);
    if (society == NULL)
        return terminal_error("%s", err_sentence(ERR_NO_MEMORY));
    bool changed = false;
    if (society_directory_open(society, options->society, false)) {
        changed = settings_apply(society, options, change);
        society_directory_close(society);
    }
    free(society);
    return changed ? 0 : 1;
}

/* ---- boards ---- */

static uint32_t settings_board_place(const struct settings *settings, struct bytes tag)
{
    uint32_t at = 0;
    while (at < settings->board_count && tag_compare(settings->boards[at].tag, tag) < 0)
        at++;
    return at;
}

bool society_settings_add_board(struct settings *settings, const char *board)
{
    const char *equals = strchr(board, '=');
    struct settings_board added = {.tag = {(const uint8_t *)board, strlen(board)}};
    added.name = added.tag;
    if (equals != NULL) {
        added.tag.size = (size_t)(equals - board);
        added.name = bytes_of_text(equals + 1);
    }
    if (tag_check(added.tag) != OK) {
        terminal_error("`%s` is not TAG=NAME: a tag has the characters a-z, 0-9 and -, in parts "
                       "joined by /, such as hematology/bmt=\"Bone marrow transplantation\"",
                       board);
        return false;
    }
    uint32_t at = settings_board_place(settings, added.tag);
    bool there = at < settings->board_count && bytes_equal(settings->boards[at].tag, added.tag);
    if (!there && settings->board_count == BOARD_COUNT_MAX) {
        terminal_error("a federation has at most %d boards", BOARD_COUNT_MAX);
        return false;
    }
    if (!there) {
        memmove(&settings->boards[at + 1], &settings->boards[at],
                (settings->board_count - at) * sizeof added);
        settings->board_count++;
    }
    settings->boards[at] = added;
    return true;
}

static bool settings_add_boards(struct settings *settings, const struct society_options *options)
{
    for (uint32_t i = 0; i < options->argument_count; i++) {
        if (!society_settings_add_board(settings, options->arguments[i]))
            return false;
    }
    return true;
}

static bool settings_remove_board(struct settings *settings, const struct society_options *options)
{
    struct bytes tag = bytes_of_text(options->arguments[0]);
    uint32_t at = settings_board_place(settings, tag);
    if (at == settings->board_count || !bytes_equal(settings->boards[at].tag, tag)) {
        terminal_error(
            "the federation has no board `%s`; `consilium-society show` lists its boards",
            options->arguments[0]);
        return false;
    }
    settings->board_count--;
    memmove(&settings->boards[at], &settings->boards[at + 1],
            (settings->board_count - at) * sizeof settings->boards[0]);
    return true;
}

int society_settings_board_add(const struct society_options *options)
{
    return settings_change(options, settings_add_boards);
}

/* ---- relays ---- */

static uint32_t settings_relay_place(const struct settings *settings, const uint8_t *key)
{
    uint32_t at = 0;
    while (at < settings->relay_count && memcmp(settings->relays[at].key.bytes, key, KEY_SIZE) < 0)
        at++;
    return at;
}

static bool settings_relay_there(const struct settings *settings, uint32_t at, const uint8_t *key)
{
    return at < settings->relay_count && memcmp(settings->relays[at].key.bytes, key, KEY_SIZE) == 0;
}

static bool settings_add_relay(struct settings *settings, const struct society_options *options)
{
    struct settings_relay relay = {.endpoint = bytes_of_text(options->arguments[1])};
    relay.name = options->own.name == NULL ? relay.endpoint : bytes_of_text(options->own.name);
    struct society_public public;
    if (!society_key_read(options->arguments[0], KEYFILE_RELAY, &public))
        return false;
    memcpy(relay.key.bytes, public.key, KEY_SIZE);
    if (endpoint_check(relay.endpoint) != OK) {
        terminal_error("`%s` is not an address; write tcp://HOST:PORT", options->arguments[1]);
        return false;
    }
    struct hash hash = relay_key_hash(&relay.key); /* ROSTER-48 */
    if (!terminal_fingerprint(&hash, options->fingerprint, "the relay's operator"))
        return false;
    uint32_t at = settings_relay_place(settings, relay.key.bytes);
    if (!settings_relay_there(settings, at, relay.key.bytes)) {
        if (settings->relay_count == RELAY_COUNT_MAX) {
            terminal_error("a federation has at most %d relays", RELAY_COUNT_MAX);
            return false;
        }
        memmove(&settings->relays[at + 1], &settings->relays[at],
                (settings->relay_count - at) * sizeof relay);
        settings->relay_count++;
    }
    settings->relays[at] = relay;
    return true;
}

static bool settings_remove_relay(struct settings *settings, const struct society_options *options)
{
    struct society_public public;
    if (!society_key_read(options->arguments[0], KEYFILE_RELAY, &public))
        return false;
    uint32_t at = settings_relay_place(settings, public.key);
    if (!settings_relay_there(settings, at, public.key)) {
        terminal_error("no relay has this key; `consilium-society show` lists the relays");
        return false;
    }
    settings->relay_count--;
    memmove(&settings->relays[at], &settings->relays[at + 1],
            (settings->relay_count - at) * sizeof settings->relays[0]);
    return true;
}

int society_settings_relay_add(const struct society_options *options)
{
    return settings_change(options, settings_add_relay);
}

int society_settings_relay_remove(const struct society_options *options)
{
    return settings_change(options, settings_remove_relay);
}

/* ---- publishers ---- */

static uint32_t settings_publisher_place(const struct settings *settings, const uint8_t *key)
{
    uint32_t at = 0;
    while (at < settings->publisher_count &&
           memcmp(settings->publishers[at].bytes, key, KEY_SIZE) < 0)
        at++;
    return at;
}

static bool settings_publisher_there(const struct settings *settings, uint32_t at,
                                     const uint8_t *key)
{
    return at < settings->publisher_count &&
           memcmp(settings->publishers[at].bytes, key, KEY_SIZE) == 0;
}

static bool settings_add_publisher(struct settings *settings, const struct society_options *options)
{
    struct society_public public;
    if (!society_key_read(options->arguments[0], KEYFILE_PUBLISHER, &public))
        return false;
    uint32_t at = settings_publisher_place(settings, public.key);
    if (settings_publisher_there(settings, at, public.key))
        return true;
    if (settings->publisher_count == PUBLISHER_COUNT_MAX) {
        terminal_error("a federation has at most %d publishers", PUBLISHER_COUNT_MAX);
        return false;
    }
    memmove(&settings->publishers[at + 1], &settings->publishers[at],
            (settings->publisher_count - at) * KEY_SIZE);
    memcpy(settings->publishers[at].bytes, public.key, KEY_SIZE);
    settings->publisher_count++;
    return true;
}

static bool settings_remove_publisher(struct settings *settings,
                                      const struct society_options *options)
{
    struct society_public public;
    if (!society_key_read(options->arguments[0], KEYFILE_PUBLISHER, &public))
        return false;
    uint32_t at = settings_publisher_place(settings, public.key);
    if (!settings_publisher_there(settings, at, public.key)) {
        terminal_error("no publisher has this key; `consilium-society show` lists the publishers");
        return false;
    }
    settings->publisher_count--;
    memmove(&settings->publishers[at], &settings->publishers[at + 1],
            (settings->publisher_count - at) * KEY_SIZE);
    return true;
}

int society_settings_publisher_add(const struct society_options *options)
{
    return settings_change(options, settings_add_publisher);
}

int society_settings_publisher_remove(const struct society_options *options)
{
    return settings_change(options, settings_remove_publisher);
}

/* ---- times and counts ---- */

bool society_settings_from_options(struct settings *settings, const struct society_options *options)
{
    if (options->own.name != NULL)
        settings->name = bytes_of_text(options->own.name);
    if (options->cooling_off_given)
        settings->cooling_off_ms = options->cooling_off_hours * SETTINGS_HOUR_MS;
    if (options->announcement_days > 0)
        settings->announcement_ms_max = options->announcement_days * 24 * SETTINGS_HOUR_MS;
    if (options->participants > 0)
        settings->participant_count_max = options->participants;
    if (options->generations > 0)
        settings->generation_count_max = options->generations;
    if (options->custody != NULL) {
        settings->custody_allowed = strcmp(options->custody, "yes") == 0;
        if (!settings->custody_allowed && strcmp(options->custody, "no") != 0) {
            terminal_error("--custody must be yes or no");
            return false;
        }
    }
    return true;
}

int society_settings_change(const struct society_options *options)
{
    if (options->own.name == NULL && !options->cooling_off_given &&
        options->announcement_days == 0 && options->participants == 0 &&
        options->generations == 0 && options->custody == NULL)
        return terminal_usage("name what to change: --name, --cooling-off, --announcement-days, "
                              "--participants, --generations or --custody");
    return settings_change(options, society_settings_from_options);
}

/* ---- the pending head itself ---- */

static int settings_with_society(const struct society_options *options,
                                 bool (*work)(struct society *, const struct society_options *))
{
    struct society *society = malloc(sizeof *society);
    if (society == NULL)
        return terminal_error("%s", err_sentence(ERR_NO_MEMORY));
    bool done = false;
    if (society_directory_open(society, options->society, false)) {
        done = work(society, options);
        society_directory_close(society);
    }
    free(society);
    return done ? 0 : 1;
}

static bool settings_renew(struct society *society, const struct society_options *options)
{
    if (!society_pending_begin(society) || !society_directory_finish(society, options->valid_days))
        return false;
    printf("Prepared: the next head is valid for %llu days; now the officers `sign` it.\n",
           (unsigned long long)options->valid_days);
    return true;
}

int society_settings_renew(const struct society_options *options)
{
    return settings_with_society(options, settings_renew);
}

static bool settings_discard(struct society *society, const struct society_options *options)
{
    if (!society->pending.exists)
        return terminal_error("no head is pending; there is nothing to discard") == 0;
    if (society->pending.signature_count > 0)
        terminal_warning("the pending head has %u signatures; anybody with a copy can still use it "
                         "if enough other officers sign",
                         society->pending.signature_count);
    if (!options->yes && !terminal_confirm("Discard the pending head? Type yes:", "--yes"))
        return false;
    if (!society_directory_discard(society))
        return false;
    puts("Discarded.");
    return true;
}

int society_settings_discard(const struct society_options *options)
{
    return settings_with_society(options, settings_discard);
}

/* ---- closing a board ---- */

static bool settings_close_board(struct society *society, const struct society_options *options)
{
    if (!settings_apply(society, options, settings_remove_board))
        return false;
    struct bytes tag = bytes_of_text(options->arguments[0]);
    uint32_t count = society_text_serving(society, tag, NULL);
    printf("%u member%s this board%s\n", count, count == 1 ? " serves" : "s serve",
           count == 0 ? "." : "; tell them before the head is signed:");
    (void)society_text_serving(society, tag, stdout);
    return true;
}

int society_settings_board_remove(const struct society_options *options)
{
    return settings_with_society(options, settings_close_board);
}
