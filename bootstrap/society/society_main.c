/* consilium-society: the command line. Each command is a row of the table in society_commands. */
#include <argp.h>
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "bootstrap/society/society_commands.h"
#include "bootstrap/terminal/terminal.h"

enum main_option {
    OPTION_SOCIETY = 's',
    OPTION_KEY = 'k',
    OPTION_YES = 'y',
    OPTION_OUTPUT = 'o',
    OPTION_JSON = 'j',
    OPTION_VERSION = 'V',
    OPTION_HELP = '?',
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
    OPTION_LOOK_ALIKE,
    OPTION_WAIT,
    OPTION_USAGE,
};

static const char main_name[] = "consilium-society";

static const struct argp_option main_options[] = {
    {"society", OPTION_SOCIETY, "DIR", 0, "the society's directory (default: here)", 1},
    {"key", OPTION_KEY, "FOLDER", 0, "folder of your own officer's or publisher's key", 1},
    {"passphrase-file", OPTION_PASSPHRASE_FILE, "FILE", 0, "read the passphrase from FILE", 1},
    {"passphrase-fd", OPTION_PASSPHRASE_FD, "N", 0, "read the passphrase from descriptor N", 1},
    {"yes", OPTION_YES, NULL, 0, "do not ask for confirmation", 1},
    {"json", OPTION_JSON, NULL, 0, "show, verify, publish: as JSON", 1},
    {"name", OPTION_NAME, "TEXT", 0, "name of the federation, officer, publisher or relay", 2},
    {"officer", OPTION_OFFICER, "KEY", 0, "found, officers: a public key or its file; repeat", 2},
    {"threshold", OPTION_THRESHOLD, "K", 0, "found, officers: how many sign each head", 2},
    {"board", OPTION_BOARD, "TAG[=NAME]", 0, "found: its boards; admit: the boards it serves", 2},
    {"valid-days", OPTION_VALID_DAYS, "N", 0, "how long the next head is valid (default 400)", 2},
    {"cooling-off", OPTION_COOLING_OFF, "HOURS", 0, "until new members may read (default 72)", 2},
    {"announcement-days", OPTION_ANNOUNCEMENT, "N", 0,
     "days that a case may stay open (default 90)", 2},
    {"participants", OPTION_PARTICIPANTS, "N", 0, "most participants of a case (default 32)", 2},
    {"generations", OPTION_GENERATIONS, "N", 0,
     "how often a node may restart its streams in a year (default 12)", 2},
    {"custody", OPTION_CUSTODY, "yes|no", 0, "whether members hold sealed mail for offline members",
     2},
    {"fingerprint", OPTION_FINGERPRINT, "DIGITS", 0,
     "admit, rotate, relay add: the fingerprint as it was read out", 3},
    {"allow-look-alike", OPTION_LOOK_ALIKE, NULL, 0,
     "admit, rotate: accept a name that looks like another member's", 3},
    {"successor", OPTION_SUCCESSOR, "MEMBER", 0, "remove: the member that may close its cases", 3},
    {"cuts", OPTION_CUTS, "FILE", 0, "remove: a report of how far its streams reach; repeat", 3},
    {"output", OPTION_OUTPUT, "FILE", 0, "invite: the file to write", 3},
    {"federation", OPTION_FEDERATION, "ID", 0, "verify: the id that it must have", 3},
    {"replace", OPTION_REPLACE, NULL, 0,
     "sign: all officers discarded the head that I signed before", 3},
    {"wait", OPTION_WAIT, "SECONDS", 0, "publish: longest time to wait (default 30)", 3},
    {"help", OPTION_HELP, NULL, 0, "describe COMMAND, or list all commands", -1},
    {"usage", OPTION_USAGE, NULL, 0, "print a short usage message", -1},
    {"version", OPTION_VERSION, NULL, 0, "print the version", -1},
    {NULL, 0, NULL, 0, NULL, 0},
};

enum { MAIN_WORDS_MAX = 6 };

/* What the parser fills. */
struct main_state {
    struct society_options options;
    const char *words[MAIN_WORDS_MAX];
    uint32_t word_count;
    bool help;
};

/* ---- reading the command line ---- */

static uint64_t main_number(struct argp_state *state, const char *text, uint64_t min, uint64_t max)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0' || text[0] < '0' || text[0] > '9' || value < min || value > max)
        argp_error(state, "`%s` is not a number from %llu to %llu", text, (unsigned long long)min,
                   (unsigned long long)max);
    return value;
}

static void main_add(struct argp_state *state, const char **list, uint32_t *count, const char *text)
{
    if (*count == SOCIETY_MANY_MAX)
        argp_error(state, "this option can be given at most %d times", SOCIETY_MANY_MAX);
    list[(*count)++] = text;
}

static void main_take_text(struct society_options *options, int key, const char *text)
{
    const struct {
        int key;
        const char **place;
    } texts[] = {
        {OPTION_SOCIETY, &options->society},
        {OPTION_KEY, &options->own.folder},
        {OPTION_PASSPHRASE_FILE, &options->own.passphrase.file},
        {OPTION_NAME, &options->own.name},
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
        options->own.passphrase.fd = (int)main_number(state, text, 0, 1 << 20);
        return true;
    case OPTION_THRESHOLD:
        options->threshold = main_number(state, text, 0, OFFICER_COUNT_MAX);
        return true;
    case OPTION_VALID_DAYS:
        options->valid_days = main_number(state, text, 1, 3660);
        return true;
    case OPTION_COOLING_OFF:
        options->cooling_off_hours = main_number(state, text, 0, 3660 * 24);
        options->cooling_off_given = true;
        return true;
    case OPTION_ANNOUNCEMENT:
        options->announcement_days = main_number(state, text, 1, 3660);
        return true;
    case OPTION_PARTICIPANTS:
        options->participants = main_number(state, text, 1, PARTICIPANT_COUNT_MAX);
        return true;
    case OPTION_WAIT:
        options->wait_seconds = main_number(state, text, 1, 3600);
        return true;
    case OPTION_GENERATIONS:
        options->generations = main_number(state, text, 1, 1000);
        return true;
    default:
        return false;
    }
}

static const char main_directory[] =
    "\nThe directory holds heads/EPOCH.head and heads/EPOCH.delta, the signed history, and "
    "pending/head and pending/items, the next head. Copy the whole directory to let an officer "
    "sign "
    "elsewhere. It holds no secret; each officer keeps the key in a folder of their own.";

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
    for (size_t i = 0; i < society_commands_count; i++)
        fprintf(out, "  %s %s\n      %s\n", society_commands[i].name, society_commands[i].usage,
                society_commands[i].what);
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
            argp_error(state, "too many arguments");
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
    case OPTION_HELP:
        into->help = true;
        return 0;
    case OPTION_USAGE:
        argp_help(state->root_argp, stdout, ARGP_HELP_USAGE, (char *)(uintptr_t)main_name);
        exit(0);
    case OPTION_VERSION:
        puts("consilium-society " CONSILIUM_VERSION);
        exit(0);
    case OPTION_LOOK_ALIKE:
        options->allow_look_alike = true;
        return 0;
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

static uint32_t main_words_of(const struct society_command *command, const struct main_state *state)
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

static const struct society_command *main_find(const struct main_state *state, uint32_t *ret_words)
{
    for (size_t i = 0; i < society_commands_count; i++) {
        *ret_words = main_words_of(&society_commands[i], state);
        if (*ret_words > 0)
            return &society_commands[i];
    }
    return NULL;
}

static int main_run(const struct society_command *command, uint32_t words, struct main_state *state)
{
    struct society_options *options = &state->options;
    for (uint32_t i = words; i < state->word_count; i++) {
        if (options->argument_count == 4)
            break;
        options->arguments[options->argument_count++] = state->words[i];
    }
    uint32_t given = state->word_count - words;
    if (given < command->arguments_min || given > command->arguments_max)
        return terminal_usage("usage: consilium-society %s %s; see --help", command->name,
                              command->usage);
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
    struct main_state state = {.options = {.society = ".", .own.passphrase = PASSPHRASE_TERMINAL}};
    if (sodium_init() < 0)
        return terminal_error("libsodium cannot be initialised; reinstall the package libsodium23");
    argp_err_exit_status = 2;
    if (argp_parse(&argp, argc, argv, ARGP_NO_HELP, NULL, &state) != 0)
        return 2;
    uint32_t words = 0;
    const struct society_command *command = main_find(&state, &words);
    if (state.help) {
        if (command == NULL)
            argp_help(&argp, stdout, ARGP_HELP_STD_HELP, (char *)(uintptr_t)main_name);
        else
            society_commands_tell(command);
        return 0;
    }
    if (command != NULL)
        return main_run(command, words, &state);
    if (state.word_count == 0)
        return terminal_usage("name a command; --help lists them");
    return terminal_usage("there is no command `%s`; --help lists them", state.words[0]);
}
