/* consilium-society: the command line. Each command is a row of the table; its work is elsewhere.
 */
#include <argp.h>
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "bootstrap/society_found.h"
#include "bootstrap/society_heal.h"
#include "bootstrap/society_invite.h"
#include "bootstrap/society_key.h"
#include "bootstrap/society_member.h"
#include "bootstrap/society_officer.h"
#include "bootstrap/society_publish.h"
#include "bootstrap/society_say.h"
#include "bootstrap/society_settings.h"
#include "bootstrap/society_show.h"

enum main_option {
    OPTION_SOCIETY = 's',
    OPTION_KEY = 'k',
    OPTION_YES = 'y',
    OPTION_OUTPUT = 'o',
    OPTION_JSON = 'j',
    OPTION_VERSION = 'V',
    OPTION_NAME = 0x100,
    OPTION_PASSPHRASE_FILE,
    OPTION_PASSPHRASE_FD,
    OPTION_FINGERPRINT,
    OPTION_SUCCESSOR,
    OPTION_FEDERATION,
    OPTION_OFFICER,
    OPTION_THRESHOLD,
    OPTION_BOARD,
    OPTION_CUTS,
    OPTION_VALID_DAYS,
    OPTION_COOLING_OFF,
    OPTION_ANNOUNCEMENT,
    OPTION_PARTICIPANTS,
    OPTION_GENERATIONS,
    OPTION_CUSTODY,
    OPTION_REPLACE,
    OPTION_WAIT,
};

static const struct argp_option main_options[] = {
    {"society", OPTION_SOCIETY, "DIR", 0, "the society's directory (default: here)", 1},
    {"key", OPTION_KEY, "FOLDER", 0, "folder of your own officer's or publisher's key", 1},
    {"passphrase-file", OPTION_PASSPHRASE_FILE, "FILE", 0, "read the passphrase from FILE", 1},
    {"passphrase-fd", OPTION_PASSPHRASE_FD, "N", 0, "read the passphrase from descriptor N", 1},
    {"yes", OPTION_YES, NULL, 0, "do not ask", 1},
    {"json", OPTION_JSON, NULL, 0, "show, verify, publish: as JSON", 1},
    {"name", OPTION_NAME, "TEXT", 0, "of the federation, officer, publisher or relay", 2},
    {"officer", OPTION_OFFICER, "KEY", 0, "found, officers: a public key or its file; repeat", 2},
    {"threshold", OPTION_THRESHOLD, "K", 0, "found, officers: how many sign each head", 2},
    {"board", OPTION_BOARD, "TAG[=NAME]", 0, "found: its boards; admit: the boards it serves", 2},
    {"valid-days", OPTION_VALID_DAYS, "N", 0, "how long the next head is valid (default 400)", 2},
    {"cooling-off", OPTION_COOLING_OFF, "HOURS", 0, "until new members may read (default 72)", 2},
    {"announcement-days", OPTION_ANNOUNCEMENT, "N", 0, "longest life of a case (default 90)", 2},
    {"participants", OPTION_PARTICIPANTS, "N", 0, "most participants of a case (default 32)", 2},
    {"generations", OPTION_GENERATIONS, "N", 0, "restores of a node a year (default 12)", 2},
    {"custody", OPTION_CUSTODY, "yes|no", 0, "members keep each other's sealed mail", 2},
    {"fingerprint", OPTION_FINGERPRINT, "DIGITS", 0,
     "admit, rotate, relay add: as they read it out", 3},
    {"successor", OPTION_SUCCESSOR, "MEMBER", 0, "remove: who may close its cases", 3},
    {"cuts", OPTION_CUTS, "FILE", 0, "remove: a report of where its streams stand; repeat", 3},
    {"output", OPTION_OUTPUT, "FILE", 0, "invite: where to write", 3},
    {"federation", OPTION_FEDERATION, "ID", 0, "verify: the id that it must have", 3},
    {"replace", OPTION_REPLACE, NULL, 0, "sign: the head I signed before was thrown away", 3},
    {"wait", OPTION_WAIT, "SECONDS", 0, "publish: at most so long (default 30)", 3},
    {"version", OPTION_VERSION, NULL, 0, "print the version", -1},
    {NULL, 0, NULL, 0, NULL, 0},
};

struct main_command {
    const char *name; /* one word or two */
    const char *usage;
    uint32_t arguments_min, arguments_max;
    int (*run)(const struct society_options *options);
    const char *what;
};

static int main_publisher_init(const struct society_options *options)
{
    return society_key_init(&society_key_publisher, options);
}

static const struct main_command main_commands[] = {
    {"officer init", "--key FOLDER --name NAME", 0, 0, society_officer_init,
     "make your officer's key, under a passphrase"},
    {"found", "--name NAME --officer KEY... --threshold K", 0, 0, society_found_federation,
     "prepare the founding head; all officers sign it"},
    {"sign", "--key FOLDER", 0, 0, society_officer_sign, "look at what is pending and sign it"},
    {"discard", "", 0, 0, society_settings_discard, "throw away what is pending"},
    {"show", "", 0, 0, society_show_all, "what is in force and what is pending"},
    {"verify", "", 0, 0, society_show_verify, "prove the whole history from the founding head"},
    {"admit", "REQUEST", 1, 1, society_member_admit, "take in the institution that sent REQUEST"},
    {"rotate", "REQUEST", 1, 1, society_member_rotate,
     "give a member the keys, name and addresses of its new REQUEST"},
    {"suspend", "MEMBER", 1, 1, society_member_suspend, "stop a member for now"},
    {"reinstate", "MEMBER", 1, 1, society_member_reinstate, "end a suspension"},
    {"remove", "MEMBER", 1, 1, society_member_remove, "end a membership, for good"},
    {"serve", "MEMBER TAG", 2, 2, society_member_serve, "let a member serve a board"},
    {"unserve", "MEMBER TAG", 2, 2, society_member_unserve, "end that"},
    {"invite", "MEMBER", 1, 1, society_invite_member, "write the file that a member starts with"},
    {"board add", "TAG[=NAME]...", 1, 4, society_settings_board_add, "add boards, or rename them"},
    {"board remove", "TAG", 1, 1, society_settings_board_remove, "close a board"},
    {"relay add", "KEY ENDPOINT", 2, 2, society_settings_relay_add, "list a relay (--name)"},
    {"relay remove", "KEY", 1, 1, society_settings_relay_remove, "take it off the list"},
    {"publisher init", "--key FOLDER --name NAME", 0, 0, main_publisher_init,
     "make a key that may bring heads to the relays"},
    {"publisher add", "KEY", 1, 1, society_settings_publisher_add, "list a publisher"},
    {"publisher remove", "KEY", 1, 1, society_settings_publisher_remove, "take it off the list"},
    {"publish", "--key FOLDER", 0, 0, society_publish_head,
     "bring the head to the relays, and to the members connected there"},
    {"settings", "", 0, 0, society_settings_change, "change name, times and counts"},
    {"officers", "--officer KEY... --threshold K", 0, 0, society_found_officers,
     "replace the officers"},
    {"heal", "FOLDER", 1, 1, society_heal_split,
     "join a split: FOLDER is this directory as the other side has it"},
    {"renew", "", 0, 0, society_settings_renew, "a head that changes nothing but its validity"},
};

enum { MAIN_COMMAND_COUNT = sizeof main_commands / sizeof main_commands[0], MAIN_WORDS_MAX = 6 };

/* What the parser fills. */
struct main_state {
    struct society_options options;
    const char *words[MAIN_WORDS_MAX];
    uint32_t word_count;
};

/* ---- reading the command line ---- */

static uint64_t main_number(struct argp_state *state, const char *text, uint64_t max)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0' || text[0] < '0' || text[0] > '9' || value > max)
        argp_error(state, "`%s` is no number from 0 to %llu", text, (unsigned long long)max);
    return value;
}

static void main_add(struct argp_state *state, const char **list, uint32_t *count, const char *text)
{
    if (*count == SOCIETY_MANY_MAX)
        argp_error(state, "at most %d of them", SOCIETY_MANY_MAX);
    list[(*count)++] = text;
}

static void main_take_text(struct society_options *options, int key, const char *text)
{
    const struct {
        int key;
        const char **place;
    } texts[] = {
        {OPTION_SOCIETY, &options->society},
        {OPTION_KEY, &options->key},
        {OPTION_PASSPHRASE_FILE, &options->passphrase.file},
        {OPTION_NAME, &options->name},
        {OPTION_FINGERPRINT, &options->fingerprint},
        {OPTION_SUCCESSOR, &options->successor},
        {OPTION_OUTPUT, &options->output},
        {OPTION_FEDERATION, &options->federation},
        {OPTION_CUSTODY, &options->custody},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (texts[i].key == key)
            *texts[i].place = text;
    }
}

static bool main_take_number(struct argp_state *state, struct society_options *options, int key,
                             const char *text)
{
    switch (key) {
    case OPTION_PASSPHRASE_FD:
        options->passphrase.fd = (int)main_number(state, text, 1 << 20);
        return true;
    case OPTION_THRESHOLD:
        options->threshold = main_number(state, text, OFFICER_COUNT_MAX);
        return true;
    case OPTION_VALID_DAYS:
        options->valid_days = main_number(state, text, 3660);
        return true;
    case OPTION_COOLING_OFF:
        options->cooling_off_hours = main_number(state, text, 3660 * 24);
        options->cooling_off_given = true;
        return true;
    case OPTION_ANNOUNCEMENT:
        options->announcement_days = main_number(state, text, 3660);
        return true;
    case OPTION_PARTICIPANTS:
        options->participants = main_number(state, text, PARTICIPANT_COUNT_MAX);
        return true;
    case OPTION_WAIT:
        options->wait_seconds = main_number(state, text, 3600);
        return true;
    case OPTION_GENERATIONS:
        options->generations = main_number(state, text, 1000);
        return true;
    default:
        return false;
    }
}

static const char main_directory[] =
    "\nThe directory holds heads/EPOCH.head and heads/EPOCH.delta, the signed history, and "
    "pending/head and pending/items, the next head. Copy the whole directory to let an officer "
    "sign "
    "elsewhere. It holds no secret; each officer's key lies in a folder of the officer's own.";

/* Appends the table of commands to --help; argp frees what this returns. */
static char *main_help(int key, const char *text, void *input)
{
    char *all = NULL;
    size_t size;
    (void)input;
    if (key != ARGP_KEY_HELP_POST_DOC)
        return (char *)(uintptr_t)text;
    FILE *out = open_memstream(&all, &size);
    if (out == NULL)
        return NULL;
    fputs("Commands:\n", out);
    for (size_t i = 0; i < MAIN_COMMAND_COUNT; i++)
        fprintf(out, "  %s %s\n      %s\n", main_commands[i].name, main_commands[i].usage,
                main_commands[i].what);
    fputs(main_directory, out);
    fclose(out);
    return all;
}

static error_t main_parse(int key, char *text, struct argp_state *state)
{
    struct main_state *into = state->input;
    struct society_options *options = &into->options;
    if (main_take_number(state, options, key, text))
        return 0;
    switch (key) {
    case ARGP_KEY_ARG:
        if (into->word_count == MAIN_WORDS_MAX)
            argp_error(state, "too many words");
        into->words[into->word_count++] = text;
        return 0;
    case OPTION_OFFICER:
        main_add(state, options->officers, &options->officer_count, text);
        return 0;
    case OPTION_BOARD:
        main_add(state, options->boards, &options->board_count, text);
        return 0;
    case OPTION_CUTS:
        main_add(state, options->cuts, &options->cut_count, text);
        return 0;
    case OPTION_YES:
        options->yes = true;
        return 0;
    case OPTION_JSON:
        options->json = true;
        return 0;
    case OPTION_VERSION:
        puts("consilium-society " CONSILIUM_VERSION);
        exit(0);
    case OPTION_REPLACE:
        options->replace = true;
        return 0;
    default:
        if (text == NULL)
            return ARGP_ERR_UNKNOWN;
        main_take_text(options, key, text);
        return 0;
    }
}

/* ---- finding the command ---- */

static uint32_t main_words_of(const struct main_command *command, const struct main_state *state)
{
    char joined[64];
    if (state->word_count == 0)
        return 0;
    if (strcmp(command->name, state->words[0]) == 0)
        return 1;
    if (state->word_count < 2)
        return 0;
    snprintf(joined, sizeof joined, "%s %s", state->words[0], state->words[1]);
    return strcmp(command->name, joined) == 0 ? 2 : 0;
}

static int main_run(const struct main_command *command, uint32_t words, struct main_state *state)
{
    struct society_options *options = &state->options;
    for (uint32_t i = words; i < state->word_count; i++) {
        if (options->argument_count == 4)
            break;
        options->arguments[options->argument_count++] = state->words[i];
    }
    uint32_t given = state->word_count - words;
    if (given < command->arguments_min || given > command->arguments_max) {
        society_say_error("usage: consilium-society %s %s", command->name, command->usage);
        return 2;
    }
    if (options->valid_days == 0)
        options->valid_days = 400;
    if (options->wait_seconds == 0)
        options->wait_seconds = 30;
    return command->run(options);
}

int main(int argc, char **argv)
{
    static const struct argp argp = {
        .options = main_options,
        .parser = main_parse,
        .args_doc = "COMMAND [ARGUMENT...]",
        .doc = "The membership roster of a federation, on files.\v",
        .help_filter = main_help,
    };
    struct main_state state = {.options = {.society = ".", .passphrase = PASSPHRASE_TERMINAL}};
    if (sodium_init() < 0)
        return society_say_error("libsodium does not start");
    if (argp_parse(&argp, argc, argv, 0, NULL, &state) != 0)
        return 2;
    for (size_t i = 0; i < MAIN_COMMAND_COUNT; i++) {
        uint32_t words = main_words_of(&main_commands[i], &state);
        if (words > 0)
            return main_run(&main_commands[i], words, &state);
    }
    society_say_error(state.word_count == 0 ? "say what to do; --help lists the commands%s"
                                            : "there is no command `%s`; --help lists them",
                      state.word_count == 0 ? "" : state.words[0]);
    return 2;
}
