#include "node/daemon/prepare.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "node/onboarding/identity_seal.h"
#include "node/onboarding/joining.h"
#include "protocol/member/member.h"

int prepare_fail(const char *line)
{
    (void)fprintf(stderr, "consiliumd: %s\n", line);
    return 1;
}

int prepare_usage(const char *line)
{
    (void)fprintf(stderr, "consiliumd: %s\n", line);
    return 2;
}

/* ---- passphrases ---- */

static int prepare_fail_passphrase(err failure, const char *file, bool is_new)
{
    if (failure == ERR_NOT_FOUND && file == NULL)
        return prepare_fail(is_new ? "there is no terminal to ask for the new passphrase; name a "
                                     "file with --new-passphrase-file"
                                   : "there is no terminal to ask for the passphrase; name a file "
                                     "with --passphrase-file");
    char line[512];
    const char *why = failure == ERR_NOT_ENTITLED ? "is another's, or open to others; chmod 600"
                      : failure == ERR_NOT_FOUND  ? "is not there"
                      : failure == ERR_IO         ? strerror(errno)
                      : !is_new                   ? "no passphrase; nothing was changed"
                                : "a new passphrase has at least 8 characters, and is typed "
                                  "twice the same; nothing was changed";
    (void)snprintf(line, sizeof line, "%.300s%s%s", file == NULL ? "" : file,
                   file == NULL ? "" : ": ", why);
    return prepare_fail(line);
}

int prepare_ask(const char *file, enum prepare_passphrase_kind kind, struct secure_arena *secrets,
                struct bytes *ret_passphrase)
{
    static const char *const prompts[] = {
        [PREPARE_PASSPHRASE] = "Passphrase of this node's keys",
        [PREPARE_PASSPHRASE_NEW] = "New passphrase of this node's keys",
        [PREPARE_PASSPHRASE_OF_BACKUP] = "New passphrase of the file of keys",
    };
    bool is_new = kind != PREPARE_PASSPHRASE;
    const struct passphrase_source source = {.file = file, .fd = -1};
    uint8_t *memory = secure_arena_take(secrets, PASSPHRASE_SIZE_MAX);
    if (memory == NULL)
        return prepare_fail("no locked memory for a passphrase");
    struct buffer buffer = buffer_over(memory, PASSPHRASE_SIZE_MAX);
    err failure = passphrase_read(&source, prompts[kind], is_new, &buffer);
    if (failure != OK) {
        secure_arena_drop(secrets, memory);
        return prepare_fail_passphrase(failure, file, is_new);
    }
    *ret_passphrase = buffer_bytes(&buffer);
    return 0;
}

/* ---- init and request ---- */

static struct joining_request prepare_request_of(const struct prepare_options *options)
{
    return (struct joining_request){.data = options->data,
                                    .name = options->name,
                                    .country = options->country,
                                    .endpoints = options->endpoints,
                                    .endpoint_count = options->endpoint_count,
                                    .boards = options->boards,
                                    .board_count = options->board_count};
}

static void prepare_say_request(const struct prepare_options *options, const char *fingerprint)
{
    printf("  1. Mail %s to the society.\n"
           "  2. When they call, read out this fingerprint:\n"
           "\n"
           "     %s\n"
           "\n"
           "  3. They mail an invitation back: consiliumd join --data %s\n"
           "     --federation NAME INVITATION\n"
           "\n"
           "Lost it? consiliumd request --data %s --output FILE\n",
           options->request, fingerprint, options->data, options->data);
}

/* Asked for at most once more than the new passphrase is: what was typed for the keys opens them.
 */
static int prepare_make(const struct prepare_options *options, const struct bytes *passphrase,
                        struct secure_arena *secrets, struct identity *ret_identity)
{
    char problem[IDENTITY_PROBLEM_SIZE] = "";
    const struct passphrase_source source = {.known = passphrase, .fd = -1};
    if (identity_make(options->data, options->name, passphrase, problem) != OK ||
        identity_open(options->data, &source, secrets, ret_identity, problem) != OK)
        return prepare_fail(problem);
    return 0;
}

int prepare_init(const struct prepare_options *options, struct secure_arena *secrets)
{
    char problem[JOINING_PROBLEM_SIZE] = "", fingerprint[FINGERPRINT_TEXT_SIZE];
    const struct joining_request request = prepare_request_of(options);
    struct identity identity;
    struct bytes passphrase;
    if (options->data == NULL || options->name == NULL || options->country == NULL ||
        options->request == NULL || options->board_count == 0)
        return prepare_usage("init wants --data, --name, --country, --request and at least one "
                             "--board; for example: consiliumd init --data /var/lib/consilium "
                             "--name 'Lakeside Hospital' --country CH --board oncology --request "
                             "lakeside.request");
    if (joining_check(&request, problem) != OK)
        return prepare_fail(problem);
    if (options->is_sealed &&
        prepare_ask(options->passphrase_file, PREPARE_PASSPHRASE_NEW, secrets, &passphrase) != 0)
        return 1;
    if (prepare_make(options, options->is_sealed ? &passphrase : NULL, secrets, &identity) != 0)
        return 1;
    if (joining_ask(&identity, &request, options->request, fingerprint, problem) != OK) {
        (void)prepare_fail(problem);
        return prepare_fail("the identity is made, its request is not: `consiliumd request --data "
                            "DIR --output FILE` writes it");
    }
    printf("This institution now has an identity in %s: back the two .key files up.\n\n",
           options->data);
    prepare_say_request(options, fingerprint);
    return 0;
}

static int prepare_request_anew(const struct prepare_options *options, struct secure_arena *secrets,
                                char *ret_fingerprint)
{
    char problem[JOINING_PROBLEM_SIZE] = "";
    const struct passphrase_source source = {.file = options->passphrase_file, .fd = -1};
    const struct joining_request request = prepare_request_of(options);
    struct identity identity;
    if (options->country == NULL || options->board_count == 0)
        return prepare_usage("a new request wants --country and at least one --board; without any "
                             "of --name, --country, --board and --endpoint, the old one is written "
                             "again");
    if (joining_check(&request, problem) != OK ||
        identity_open(options->data, &source, secrets, &identity, problem) != OK ||
        joining_ask(&identity, &request, options->request, ret_fingerprint, problem) != OK)
        return prepare_fail(problem);
    return 0;
}

int prepare_request(const struct prepare_options *options, struct secure_arena *secrets)
{
    char problem[JOINING_PROBLEM_SIZE] = "", fingerprint[FINGERPRINT_TEXT_SIZE];
    bool is_anew = options->name != NULL || options->country != NULL || options->board_count > 0 ||
                   options->endpoint_count > 0;
    if (options->data == NULL || options->request == NULL)
        return prepare_usage("request wants --data DIR and --output FILE");
    int status = is_anew ? prepare_request_anew(options, secrets, fingerprint) : 0;
    if (status != 0)
        return status;
    if (!is_anew && joining_ask_again(options->data, options->request, fingerprint, problem) != OK)
        return prepare_fail(problem);
    puts(is_anew ? "A new request. The society applies it to a member with `rotate`: its name, "
                   "country and "
                   "addresses become those of the request.\n"
                 : "The same request as before.\n");
    prepare_say_request(options, fingerprint);
    return 0;
}

/* ---- join ---- */

static bool prepare_compare(const struct prepare_options *options, const struct hash *hash)
{
    char line[256];
    if (options->fingerprint != NULL)
        return fingerprint_matches(hash, options->fingerprint);
    printf("Ask the society, on the phone, for the fingerprint of the invitation.\n"
           "Type it here: ");
    (void)fflush(stdout);
    if (fgets(line, sizeof line, stdin) == NULL)
        return false;
    line[strcspn(line, "\n")] = '\0';
    return fingerprint_matches(hash, line);
}

int prepare_join(const struct prepare_options *options, struct secure_arena *secrets)
{
    char problem[JOINING_PROBLEM_SIZE] = "";
    struct hash fingerprint;
    char id[2 * HASH_SIZE + 1], data[4096];
    const struct passphrase_source source = {.file = options->passphrase_file, .fd = -1};
    struct joining_accepted accepted;
    struct identity identity;
    if (options->data == NULL || options->federation == NULL || options->invitation == NULL ||
        options->federation[0] == '\0' ||
        strspn(options->federation, "abcdefghijklmnopqrstuvwxyz0123456789-") !=
            strlen(options->federation))
        return prepare_usage("join wants --data, --federation NAME (a-z 0-9 -) and the invitation "
                             "file");
    if (joining_fingerprint(options->invitation, &fingerprint, problem) != OK)
        return prepare_fail(problem);
    if (!prepare_compare(options, &fingerprint))
        return prepare_fail("that is not the fingerprint of this invitation: do not use it, and "
                            "tell the society");
    if (identity_open(options->data, &source, secrets, &identity, problem) != OK)
        return prepare_fail(problem);
    (void)snprintf(data, sizeof data, "%s/%s", options->data, options->federation);
    if (joining_accept(&identity, data, options->invitation, &accepted, problem) != OK)
        return prepare_fail(problem);
    ids_to_hex(ID_BYTES(accepted.federation), id);
    printf("Joined %s: %u members, roster epoch %llu.\n"
           "\n"
           "Put this into consiliumd.conf, then start consiliumd:\n"
           "\n"
           "  institution = %s\n"
           "  [federation %s]\n"
           "  id = %s\n",
           accepted.name, accepted.member_count, (unsigned long long)accepted.epoch, identity.name,
           options->federation, id);
    return 0;
}

/* ---- how the keys are sealed ---- */

static int prepare_seal_under(const struct prepare_options *options, const struct bytes *old,
                              const char *file, struct secure_arena *secrets)
{
    char problem[IDENTITY_PROBLEM_SIZE] = "";
    struct bytes fresh;
    if (prepare_ask(file, PREPARE_PASSPHRASE_NEW, secrets, &fresh) != 0)
        return 1;
    if (identity_seal_keys(options->data, old, &fresh, secrets, problem) != OK)
        return prepare_fail(problem);
    return 0;
}

/* Whether the keys lie there, and as `wants_sealed` says; said before anybody types. */
static int prepare_look(const struct prepare_options *options, bool wants_sealed)
{
    char problem[IDENTITY_PROBLEM_SIZE] = "", line[IDENTITY_PROBLEM_SIZE];
    struct identity identity;
    if (identity_seal_mend(options->data, problem) != OK ||
        identity_peek(options->data, &identity, problem) != OK)
        return prepare_fail(problem);
    if (identity_is_sealed(options->data) == wants_sealed)
        return 0;
    (void)snprintf(line, sizeof line, "%.300s: %s", options->data,
                   wants_sealed ? "its keys lie bare; `consiliumd seal` seals them"
                                : "its keys are sealed already; `consiliumd passphrase` changes "
                                  "their passphrase");
    return prepare_fail(line);
}

int prepare_seal(const struct prepare_options *options, struct secure_arena *secrets)
{
    if (options->data == NULL || options->new_passphrase_file != NULL)
        return prepare_usage("seal wants --data DIR; --passphrase-file names the new passphrase "
                             "where nobody types");
    if (prepare_look(options, false) != 0 ||
        prepare_seal_under(options, NULL, options->passphrase_file, secrets) != 0)
        return 1;
    printf("The keys in %s are sealed; each start wants the passphrase now.\n"
           "\n"
           "  `unlock` in consiliumd.conf says where it comes from (consiliumd.conf(5)).\n"
           "  Nobody can open them without it: keep a copy where only you find it.\n"
           "  Backups made before this hold the keys bare: destroy those.\n",
           options->data);
    return 0;
}

int prepare_passphrase(const struct prepare_options *options, struct secure_arena *secrets)
{
    struct bytes old;
    if (options->data == NULL)
        return prepare_usage("passphrase wants --data DIR; where nobody types, --passphrase-file "
                             "names the old one and --new-passphrase-file the new one");
    if (prepare_look(options, true) != 0 ||
        prepare_ask(options->passphrase_file, PREPARE_PASSPHRASE, secrets, &old) != 0 ||
        prepare_seal_under(options, &old, options->new_passphrase_file, secrets) != 0)
        return 1;
    printf("The keys in %s open with the new passphrase only.\n"
           "\n"
           "  Change it where `unlock` finds it too: the file, or the sealed credential.\n"
           "  Backups made before this open with the old one: destroy those.\n",
           options->data);
    return 0;
}
