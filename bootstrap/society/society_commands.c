#include "bootstrap/society/society_commands.h"

#include <stdio.h>
#include <string.h>

#include "bootstrap/directory/society_key.h"
#include "bootstrap/society/society_found.h"
#include "bootstrap/society/society_heal.h"
#include "bootstrap/society/society_invite.h"
#include "bootstrap/society/society_member.h"
#include "bootstrap/society/society_officer.h"
#include "bootstrap/society/society_publish.h"
#include "bootstrap/society/society_settings.h"
#include "bootstrap/society/society_show.h"

static int commands_publisher_init(const struct society_options *options)
{
    return society_key_init(&society_key_publisher, &options->own);
}

const struct society_command society_commands[] = {
    {"officer init", "--key FOLDER --name NAME", 0, 0, society_officer_init,
     "make your officer's key, under a passphrase",
     "Give FOLDER/officer.public to whoever founds. FOLDER is for you alone; back it up: an\n"
     "officer without a key can sign nothing."},
    {"found", "--name NAME --officer KEY... --threshold K", 0, 0, society_found_federation,
     "prepare the founding head; all officers sign it",
     "K of the officers sign each later head; take fewer than all, or one lost key ends the\n"
     "federation. Until the founding head is signed, relays, boards, publishers and first\n"
     "members may still be added to it. --cooling-off 0 is for trials."},
    {"sign", "--key FOLDER", 0, 0, society_officer_sign, "look at what is pending and sign it",
     "Shows what changes, old and new, and asks. With the last signature it is in force: then\n"
     "`publish` it. An officer signs one head for each epoch; --replace says that the one signed\n"
     "before was thrown away by all."},
    {"discard", "", 0, 0, society_settings_discard, "throw away what is pending",
     "Whoever has a copy with enough signatures can still use it."},
    {"show", "", 0, 0, society_show_all, "what is in force and what is pending", NULL},
    {"verify", "", 0, 0, society_show_verify, "prove the whole history from the founding head",
     "With --federation ID (64 digits) it must be that federation."},
    {"admit", "REQUEST", 1, 1, society_member_admit, "take in the institution that sent REQUEST",
     "Call the institution at a number that you know, and type the fingerprint that it reads\n"
     "out. --board TAG, repeated, says which boards it serves; else those that it asked for. All\n"
     "must be boards of the federation (`show`). It reads nothing of others until the\n"
     "cooling-off is over. Then: `sign`, `publish`, `invite`."},
    {"rotate", "REQUEST", 1, 1, society_member_rotate,
     "give a member the keys, name and addresses of its new REQUEST",
     "REQUEST is from `consiliumd request`. Keys that the old key did not sign wait for the\n"
     "cooling-off."},
    {"suspend", "MEMBER", 1, 1, society_member_suspend, "stop a member for now",
     "MEMBER is a name, or the first digits of a node id. Once nodes have the signed and\n"
     "published head, they accept nothing newer from it and hand it nothing more; what it wrote\n"
     "before stays. `reinstate` ends it; `remove` makes it final, and then knows best where the\n"
     "member's streams end."},
    {"reinstate", "MEMBER", 1, 1, society_member_reinstate, "end a suspension",
     "It reads on after a cooling-off."},
    {"remove", "MEMBER", 1, 1, society_member_remove, "end a membership, for good",
     "It may come back only with a new identity. The usual way:\n"
     "  1. `suspend` it, `sign`, `publish`\n"
     "  2. some members run `consilium report MEMBER --to FILE` and mail FILE\n"
     "  3. `remove MEMBER --cuts FILE --cuts FILE ...`, `sign`, `publish`\n\n"
     "The reports say how far its streams reach; nothing beyond is accepted any more. Without\n"
     "--cuts each node keeps what it has. --successor OTHER names a member that may reveal, close\n"
     "and erase the cases that it asked; without one they stay as they are, for good."},
    {"serve", "MEMBER TAG", 2, 2, society_member_serve, "let a member serve a board",
     "It reads what is written there after the cooling-off."},
    {"unserve", "MEMBER TAG", 2, 2, society_member_unserve, "end that", NULL},
    {"invite", "MEMBER", 1, 1, society_invite_member, "write the file that a member starts with",
     "After the head that admits it is in force. It holds no secret: mail it, and read out its\n"
     "fingerprint when they call. It may be written again at any time."},
    {"board add", "TAG[=NAME]...", 1, 4, society_settings_board_add, "add boards, or rename them",
     "Members serve it once `serve` says so."},
    {"board remove", "TAG", 1, 1, society_settings_board_remove, "close a board", NULL},
    {"relay add", "KEY ENDPOINT", 2, 2, society_settings_relay_add, "list a relay (--name)",
     "KEY is what `consilium-relay init` printed; its operator reads the fingerprint out."},
    {"relay remove", "KEY", 1, 1, society_settings_relay_remove, "take it off the list", NULL},
    {"publisher init", "--key FOLDER --name NAME", 0, 0, commands_publisher_init,
     "make a key that may bring heads to the relays", NULL},
    {"publisher add", "KEY", 1, 1, society_settings_publisher_add, "list a publisher",
     "KEY is FOLDER/publisher.public, or the 64 digits in it."},
    {"publisher remove", "KEY", 1, 1, society_settings_publisher_remove, "take it off the list",
     NULL},
    {"publish", "--key FOLDER", 0, 0, society_publish_head,
     "bring the head to the relays, and to the members connected there",
     "After each head. What is pending is not brought. FOLDER holds the publisher's key. Repeat\n"
     "it when a relay was off; the members get the head from each other, too."},
    {"settings", "", 0, 0, society_settings_change, "change name, times and counts", NULL},
    {"officers", "--officer KEY... --threshold K", 0, 0, society_found_officers,
     "replace the officers", "Name all, also those who stay; the present ones sign it."},
    {"heal", "FOLDER", 1, 1, society_heal_split,
     "join a split: FOLDER is this directory as the other side has it",
     "Two heads at one epoch split the federation: half of the members follow each. The officers\n"
     "of the last common head sign one that names both. Then each relay's operator puts its id\n"
     "into `healing`, and each hospital confirms it (`consilium roster heal`)."},
    {"renew", "", 0, 0, society_settings_renew, "a head that changes nothing but its validity",
     "For --valid-days N; in an expired federation nobody announces or grants."},
};

const size_t society_commands_count = sizeof society_commands / sizeof society_commands[0];

/* Words in lines of at most 80 columns; what is set in, or stands behind an empty
 * line, begins one of its own. */
static void commands_print(const char *text)
{
    size_t column = 0;
    while (*text != '\0') {
        size_t blanks = strspn(text, " \n"), size = strcspn(text + blanks, " \n");
        bool is_set_in = blanks > 2 && text[0] == '\n';
        bool is_apart = is_set_in || strncmp(text, "\n\n", 2) == 0;
        bool is_new = column > 0 && (is_apart || column + 1 + size > 80);
        if (is_new)
            column = 0;
        const char *lead = column > 0 ? " " : is_set_in ? "  " : "";
        printf("%s%s%.*s", is_new ? "\n" : "", lead, (int)size, text + blanks);
        column += strlen(lead) + size;
        text += blanks + size;
    }
    putchar('\n');
}

void society_commands_tell(const struct society_command *command)
{
    char line[512];
    (void)snprintf(line, sizeof line, "usage: consilium-society [--society DIR] %s %s",
                   command->name, command->usage);
    commands_print(line);
    (void)snprintf(line, sizeof line, "%s.", command->what);
    putchar('\n');
    commands_print(line);
    if (command->more != NULL) {
        putchar('\n');
        commands_print(command->more);
    }
    puts("\nAll commands and options: consilium-society --help, consilium-society(1).");
}
