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
     "Mail FOLDER/officer.public to the officer who founds. Do not share FOLDER, and back it up:\n"
     "without the key you cannot sign."},
    {"found", "--name NAME --officer KEY... --threshold K", 0, 0, society_found_federation,
     "prepare the founding head; all officers sign it",
     "K officers sign each later head. Choose K below the number of officers: with all of them\n"
     "required, one lost key ends the federation. Relays, boards, publishers and first members\n"
     "can be added until the first signature. --cooling-off 0 is for trials."},
    {"sign", "--key FOLDER", 0, 0, society_officer_sign, "show the pending changes and sign them",
     "Shows what changes, old and new, and asks. With the last required signature the head is in\n"
     "force: then `publish` it. An officer signs one head for each epoch; --replace says that all\n"
     "officers have discarded the one that you signed before."},
    {"discard", "", 0, 0, society_settings_discard, "discard the pending head",
     "Anybody with a copy of it can still use it if enough officers sign."},
    {"show", "", 0, 0, society_show_all, "show what is in force and what is pending", NULL},
    {"verify", "", 0, 0, society_show_verify, "prove the whole history from the founding head",
     "With --federation ID (64 digits) it must be the history of that federation."},
    {"admit", "REQUEST", 1, 1, society_member_admit, "admit the institution that sent REQUEST",
     "Call the institution at a number that you know, and type the fingerprint that it reads\n"
     "out. --board TAG, repeated, names the boards that it serves; without it, those that it "
     "asked\n"
     "for. All must be boards of the federation (`show`). It reads nothing of other members until\n"
     "the cooling-off is over. Then: `sign`, `publish`, `invite`."},
    {"rotate", "REQUEST", 1, 1, society_member_rotate,
     "give a member the keys, name and addresses of its new REQUEST",
     "REQUEST is from `consiliumd request`. Without a signature of the old key the new keys wait\n"
     "for the cooling-off."},
    {"suspend", "MEMBER", 1, 1, society_member_suspend, "stop a member for now",
     "MEMBER is a name, or the first digits of a node id. Nodes that have the signed and "
     "published\n"
     "head accept nothing newer from the member and send it nothing more; what it wrote before\n"
     "stays. `reinstate` ends the suspension, `remove` makes it final. Suspend before you remove:\n"
     "then it is best known where the member's streams end."},
    {"reinstate", "MEMBER", 1, 1, society_member_reinstate, "end a suspension",
     "The member reads again after a cooling-off."},
    {"remove", "MEMBER", 1, 1, society_member_remove, "end a membership, for good",
     "The institution can come back only with a new identity. The usual way:\n"
     "  1. `suspend` it, `sign`, `publish`\n"
     "  2. some members run `consilium report MEMBER --to FILE` and mail FILE\n"
     "  3. `remove MEMBER --cuts FILE --cuts FILE ...`, `sign`, `publish`\n\n"
     "The reports say how far its streams reach; nothing beyond is accepted any more. Without\n"
     "--cuts each node keeps what it has. --successor OTHER names a member that may reveal, close\n"
     "and erase the cases that it asked; without a successor nobody can."},
    {"serve", "MEMBER TAG", 2, 2, society_member_serve, "add a board to a member",
     "The member reads the board after the cooling-off."},
    {"unserve", "MEMBER TAG", 2, 2, society_member_unserve, "remove a board from a member", NULL},
    {"invite", "MEMBER", 1, 1, society_invite_member, "write the file that a member starts with",
     "The head that admits the member must be in force. The file holds no secret: mail it, and\n"
     "read out its fingerprint when the institution calls. It can be written again at any time."},
    {"board add", "TAG[=NAME]...", 1, 4, society_settings_board_add, "add boards, or rename them",
     "A member serves a board after `serve`, or `admit` with --board."},
    {"board remove", "TAG", 1, 1, society_settings_board_remove, "close a board",
     "Lists the members that serve it: tell them before the head is signed."},
    {"relay add", "KEY ENDPOINT", 2, 2, society_settings_relay_add, "list a relay (--name)",
     "KEY is what `consilium-relay init` printed. Call the relay's operator at a number that you\n"
     "know, and type the fingerprint that is read out."},
    {"relay remove", "KEY", 1, 1, society_settings_relay_remove, "remove a relay from the list",
     NULL},
    {"publisher init", "--key FOLDER --name NAME", 0, 0, commands_publisher_init,
     "make a key that may bring heads to the relays", NULL},
    {"publisher add", "KEY", 1, 1, society_settings_publisher_add, "list a publisher",
     "KEY is FOLDER/publisher.public, or the 64 digits in it."},
    {"publisher remove", "KEY", 1, 1, society_settings_publisher_remove,
     "remove a publisher from the list", NULL},
    {"publish", "--key FOLDER", 0, 0, society_publish_head,
     "bring the head in force to the relays and the members connected to them",
     "Run it after each head. A pending head is not published. FOLDER holds the publisher's key.\n"
     "Repeat it if a relay was off. Members get the head from each other, too."},
    {"settings", "", 0, 0, society_settings_change, "change name, times and counts", NULL},
    {"officers", "--officer KEY... --threshold K", 0, 0, society_found_officers,
     "replace the officers",
     "Name all officers, also those who stay. The present officers sign the change."},
    {"heal", "FOLDER", 1, 1, society_heal_split,
     "heal a split; FOLDER is this directory as the other side has it",
     "Two heads at one epoch split the federation: each half of the members follows one of them.\n"
     "The officers of the last common head sign one head that names both. Then each relay's\n"
     "operator writes its id into `healing`, and each hospital confirms it (`consilium roster\n"
     "heal`)."},
    {"renew", "", 0, 0, society_settings_renew, "prepare a head that only extends the validity",
     "It is valid for --valid-days N (400). When a head has expired, members announce no cases "
     "and\n"
     "grant no access."},
};

const size_t society_commands_count = sizeof society_commands / sizeof society_commands[0];

/* Prints words in lines of at most 80 columns. Indented text, and text after an empty line, begins
 * a line of its own. */
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
