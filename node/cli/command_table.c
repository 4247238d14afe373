/* All commands. The API's fields are the options; spec/api.md says what each means. */
#include "node/cli/command_table.h"

#include <stdio.h>
#include <string.h>

#include "node/cli/render.h"
#include "node/cli/render_draft.h"
#include "node/cli/render_status.h"
#include "node/cli/table.h"
#include "node/cli/workflow.h"

#define NOTE                                                                                       \
    {                                                                                              \
        "note", FIELD_TEXT, false, "TEXT", "A word about it"                                       \
    }
#define LANGUAGE                                                                                   \
    {                                                                                              \
        "language", FIELD_TEXT, false, "TAG", "Language of the text, such as en or zh-Hans"        \
    }
#define END                                                                                        \
    {                                                                                              \
        NULL, FIELD_TEXT, false, NULL, NULL                                                        \
    }

static const struct field clinician_add[] = {
    {"login", FIELD_TEXT, true, "LOGIN", "Name of the account"},
    {"name", FIELD_TEXT, true, "NAME", "The clinician's full name"},
    {"credentials", FIELD_TEXT, true, "TEXT", "Such as \"MD, PhD\""},
    {"specialties", FIELD_LIST, true, "TAG", "Such as oncology; repeat it"},
    {"country", FIELD_TEXT, true, "CC", "Country of practice, two letters"},
    {"licence", FIELD_TEXT, false, "NUMBER", "Licence number"},
    {"valid_days", FIELD_NUMBER, false, "DAYS", "Validity of the certificate; default 1825"},
    {"uid", FIELD_NUMBER, false, "UID",
     "Who may sign with it; default: the user that is called LOGIN"},
    END};
static const struct field passphrase[] = {
    {"new_passphrase_file", FIELD_LOCAL, false, "FILE",
     "The new passphrase: the first line of FILE (mode 600); default: asked for, twice"},
    END};
static const struct field renew[] = {
    {"valid_days", FIELD_NUMBER, false, "DAYS", "Validity from now on; default 1825"},
    {"specialties", FIELD_LIST, false, "TAG",
     "Others than before; repeat it; the clinician types the passphrase"},
    END};
static const struct field clinician_revoke[] = {
    {"reason", FIELD_TEXT, true, "REASON",
     "left-the-institution, key-compromised, key-lost, replaced, licence-ended, issued-wrongly"},
    NOTE,
    END};
static const struct field draft_fields[] = {
    {"question", FIELD_TEXT, false, "TEXT", "What is asked; @FILE reads it from a file"},
    {"description", FIELD_TEXT, false, "TEXT", "What participants read; @FILE reads a file"},
    {"specialty", FIELD_TEXT, false, "TAG", "Board, such as oncology"},
    {"service", FIELD_TEXT, false, "KIND", "clinical-consult, radiology-read, pathology-read"},
    {"reason", FIELD_TEXT, false, "REASON",
     "unclear-diagnosis, serious, rare, local-options-exhausted, risky-treatment, reassurance"},
    {"wanted_count", FIELD_NUMBER, false, "N", "How many opinions are wanted"},
    {"deadline", FIELD_TIME, false, "WHEN", "14d, 36h, or a date 2026-01-31T12:00:00.000Z"},
    LANGUAGE,
    {"mode", FIELD_TEXT, false, "MODE", "independent-first or open"},
    {"age", FIELD_TEXT, false, "BAND", "newborn, infant, child, adolescent, 18-29 ... 80+"},
    {"sex", FIELD_TEXT, false, "SEX", "female, male, other"},
    {"country", FIELD_TEXT, false, "CC", "The patient's country, two letters"},
    {"consent", FIELD_TEXT, false, "TEXT", "Which consent is on record, and where"},
    {"initiative", FIELD_TEXT, false, "WHO", "physician or patient"},
    {"directed", FIELD_LIST, false, "MEMBER", "Ask this institution alone; repeat it for more"},
    {"emergency", FIELD_FLAG, false, NULL, "Refused: in an emergency, call"},
    END};
static const struct field attach[] = {
    {"name", FIELD_LOCAL, false, "NAME", "What participants see as its name; default: the file's"},
    END};
static const struct field announce[] = {
    {"confirmed_by", FIELD_TEXT, false, "NAME",
     "Full name of the person who read the preview and confirms it"},
    {"preview", FIELD_TEXT, false, "HASH", "The preview that was confirmed (for scripts)"},
    END};
static const struct field previewing[] = {
    {"save_items", FIELD_LOCAL, false, "FOLDER",
     "Write the attachments there, byte for byte as they would leave; made when missing"},
    END};
static const struct field page[] = {
    {"limit", FIELD_NUMBER, false, "N", "At most so many; 200 is the most"},
    {"after", FIELD_TEXT, false, "MARK", "Go on after this page"},
    END};
static const struct field inbox[] = {
    {"specialty", FIELD_TEXT, false, "TAG", "Only this board and those below it"},
    {"state", FIELD_TEXT, false, "STATE", "open, closed, all; default open"},
    {"language", FIELD_TEXT, false, "TAG", "Only this language"},
    {"limit", FIELD_NUMBER, false, "N", "At most so many"},
    {"after", FIELD_TEXT, false, "MARK", "Go on after this page"},
    END};
static const struct field cases[] = {
    {"role", FIELD_TEXT, false, "ROLE", "requester, participant, all"},
    {"state", FIELD_TEXT, false, "STATE", "open, closed, all"},
    {"specialty", FIELD_TEXT, false, "TAG", "Only this board"},
    END};
static const struct field members[] = {
    {"text", FIELD_TEXT, false, "TEXT", "Only names that hold this"},
    {"board", FIELD_TEXT, false, "TAG", "Only those who serve this board"},
    {"country", FIELD_TEXT, false, "CC", "Only this country"},
    END};
static const struct field specialists[] = {
    {"text", FIELD_TEXT, false, "TEXT", "Only names that hold this"},
    {"specialty", FIELD_TEXT, false, "TAG", "Only this specialty"},
    {"country", FIELD_TEXT, false, "CC", "Only this country"},
    END};
static const struct field note[] = {NOTE, END};
static const struct field grant[] = {
    {"participant", FIELD_TEXT, true, "MEMBER", "The institution"},
    {"join", FIELD_TEXT, false, "RECORD", "The waiting join that is answered"},
    END};
static const struct field refuse[] = {
    {"reason", FIELD_TEXT, false, "REASON",
     "unavailable, not-my-field, local-care-adequate, conflict-of-interest, other; default other"},
    {"note", FIELD_TEXT, false, "TEXT", "A word for who asked to join"},
    END};
static const struct field closing[] = {
    NOTE,
    {"without_synthesis", FIELD_FLAG, false, NULL,
     "Close it though opinions were given and you wrote no summary of them"},
    END};
static const struct field ungrant[] = {
    {"participant", FIELD_TEXT, true, "MEMBER", "The institution"}, NOTE, END};
static const struct field decline[] = {
    {"reason", FIELD_TEXT, true, "REASON",
     "unavailable, not-my-field, local-care-adequate, conflict-of-interest, other"},
    {"text", FIELD_TEXT, false, "TEXT", "Why"},
    END};
static const struct field fetch[] = {
    {"items", FIELD_LIST, false, "ITEM", "Only this item; repeat it; default: all"}, END};
static const struct field reading[] = {
    {"items", FIELD_LOCALS, false, "ITEM", "Only this item; repeat it; default: all"},
    {"records", FIELD_LOCALS, false, "RECORD",
     "Only this opinion, post ...; default: all new ones"},
    {"to", FIELD_LOCAL, false, "FOLDER",
     "Where to write the items, made when missing; default: here"},
    END};
static const struct field opinion[] = {
    {"file", FIELD_LOCAL, false, "FILE", "The opinion as JSON; see `consilium opinion template`"},
    {"text", FIELD_TEXT, false, "TEXT", "The opinion; @FILE reads it from a file"},
    LANGUAGE,
    {"diagnosis", FIELD_TEXT, false, "WHAT", "confirmed, clarified, changed"},
    {"diagnosis_text", FIELD_TEXT, false, "TEXT", "The diagnosis in words"},
    {"treatment", FIELD_TEXT, false, "WHAT", "same, modified, changed"},
    {"treatment_text", FIELD_TEXT, false, "TEXT", "The treatment in words"},
    {"confidence", FIELD_TEXT, false, "GRADE", "very-low, low, moderate, high"},
    {"references", FIELD_LIST, false, "TEXT", "A reference; repeat it"},
    {"trials", FIELD_LIST, false, "TEXT", "A trial; repeat it"},
    {"replaces", FIELD_TEXT, false, "RECORD", "Your earlier opinion that this one replaces"},
    {"additional", FIELD_FLAG, false, NULL,
     "One more beside your earlier opinion; an institution counts once all the same"},
    END};
static const struct field post[] = {
    {"text", FIELD_TEXT, true, "TEXT", "What you say; @FILE reads it from a file"},
    LANGUAGE,
    {"answers", FIELD_TEXT, false, "RECORD", "The record that it is about"},
    END};
static const struct field ask[] = {
    {"records", FIELD_LOCALS, false, "TEXT", "Records wanted; repeat it"},
    {"test", FIELD_LOCALS, false, "TEXT", "A test wanted; repeat it"},
    {"image", FIELD_LOCALS, false, "TEXT", "An image wanted; repeat it"},
    {"other", FIELD_LOCALS, false, "TEXT", "Something else wanted; repeat it"},
    NOTE,
    END};
static const struct field supply[] = {
    {"ask", FIELD_TEXT, false, "RECORD", "The ASK that is answered"},
    {"answer", FIELD_LOCALS, false, "N=WHAT[:NOTE]",
     "Item N, as `show` numbers it (from 0): supplied, not-available, not-given; repeat it"},
    {"attach", FIELD_LOCALS, false, "FILE", "A file that is supplied; repeat it"},
    {"description", FIELD_TEXT, false, "TEXT", "A new description of the case; @FILE"},
    NOTE,
    {"confirmed_by", FIELD_LOCAL, false, "NAME", "Who read the preview and confirms it"},
    {"preview", FIELD_LOCAL, false, "HASH", "The preview that was confirmed (for scripts)"},
    END};
static const struct field records[] = {
    {"records", FIELD_LIST, false, "RECORD", "Only this one; repeat it; default: all taken in"},
    END};
static const struct field release[] = {{"record", FIELD_TEXT, true, "RECORD", "Your own opinion"},
                                       END};
static const struct field synthesis[] = {
    {"text", FIELD_TEXT, true, "TEXT", "Your summary; @FILE reads it from a file"},
    LANGUAGE,
    {"records", FIELD_LIST, false, "RECORD", "An opinion that it rests on; repeat it"},
    END};
static const struct field extend[] = {
    {"deadline", FIELD_TIME, true, "WHEN", "14d, 36h, or a date"},
    {"wanted_count", FIELD_NUMBER, false, "N", "How many opinions are wanted now"},
    END};
static const struct field outcome[] = {
    {"day", FIELD_NUMBER, true, "N", "Days since closing, such as 21 or 90"},
    {"followed", FIELD_TEXT, true, "WHAT", "followed, partly-followed, not-followed, unknown"},
    {"result", FIELD_TEXT, true, "WHAT", "improved, unchanged, worse, died, unknown"},
    {"final_diagnosis", FIELD_TEXT, false, "TEXT", "The final diagnosis"},
    {"text", FIELD_TEXT, false, "TEXT", "What happened"},
    {"opinions", FIELD_LIST, false, "RECORD", "The advice that was followed; repeat it"},
    END};
static const struct field flag[] = {
    {"record", FIELD_TEXT, true, "RECORD", "The record that is wrong"},
    {"reason", FIELD_TEXT, true, "REASON", "identifying-data, wrong-case, unprofessional, other"},
    {"text", FIELD_TEXT, false, "TEXT", "What is wrong"},
    END};
static const struct field export_opinion[] = {
    {"to", FIELD_LOCAL, false, "FILE", "Where to write it; default: RECORD.opinion"}, END};
static const struct field verify_opinion[] = {
    {"head", FIELD_LOCAL, false, "ID", "A later roster head that you trust"}, END};
static const struct field report[] = {
    {"to", FIELD_LOCAL, false, "FILE", "Where to write it; default: MEMBER.report"}, END};
static const struct field entries[] = {
    {"case", FIELD_TEXT, false, "CASE", "Only what is about this case"},
    {"limit", FIELD_NUMBER, false, "N", "At most so many; 200 is the most"},
    {"after", FIELD_TEXT, false, "MARK", "Go on after this page"},
    END};
static const struct field export_audit[] = {
    {"to", FIELD_LOCAL, false, "FILE", "Where to write it; default: audit.jsonl"}, END};
static const struct field heal[] = {
    {"fingerprint", FIELD_TEXT, true, "DIGITS", "As two of the society's officers read it out"},
    END};
static const struct field nothing[] = {END};

#define GROUP(title)                                                                               \
    {                                                                                              \
        .name = "#", .arguments = "", .help = title                                                \
    }
#define GET(words, takes, what, where, options, printer)                                           \
    .name = words, .arguments = takes, .help = what, .method = METHOD_GET, .path = where,          \
    .fields = options, .print = printer
#define POST(words, takes, what, where, options)                                                   \
    .name = words, .arguments = takes, .help = what, .method = METHOD_POST, .path = where,         \
    .fields = options
#define SIGN(words, takes, what, where, options)                                                   \
    POST(words, takes, what, where, options), .wants = WANTS_SIGNER, .print = table_done
#define OWN(words, takes, what, options, function)                                                 \
    .name = words, .arguments = takes, .help = what, .fields = options, .run = function

const struct command command_table_commands[] = {
    GROUP("The node"),
    {OWN("status", "", "How this node stands", nothing, workflow_status),
     .example = "consilium status"},
    {GET("members", "", "Institutions of the federation", "members", members, table_members),
     .example = "consilium members --board oncology --country CH"},
    {GET("specialists", "", "Clinicians of all members", "specialists", specialists,
         table_specialists),
     .example = "consilium specialists --specialty hematology/bmt --text Grey"},
    {POST("roster heal", "", "Follow the head that heals a split", "roster/heal", heal),
     .example = "consilium roster heal --fingerprint '12345 67890 ...'"},
    {OWN("report", "MEMBER", "Where its streams stand, for the society", report, workflow_report),
     .example = "consilium report 'Lakeside Hospital' --to lakeside.report"},
    {GET("boards", "", "Boards, and who serves them", "boards", nothing, table_boards),
     .example = "consilium boards"},
    {GET("relays", "", "Relays, and whether each is connected", "relays", nothing, table_relays),
     .example = "consilium relays"},
    {OWN("watch", "", "Tell what is new, until Ctrl-C", nothing, workflow_watch),
     .example = "consilium watch"},

    GROUP("Clinicians of this institution"),
    {OWN("clinician add", "", "Make an account, as an administrator", clinician_add,
         workflow_clinician_add),
     .wants = WANTS_PASSPHRASE,
     .example = "sudo consilium clinician add --login grey --name 'Dr. Meredith Grey' \\\n      "
                "--credentials MD --specialties oncology --country CH"},
    {GET("clinician list", "", "Accounts", "clinicians", nothing, table_clinicians),
     .example = "consilium clinician list"},
    {OWN("clinician passphrase", "LOGIN", "Change the passphrase of your account", passphrase,
         workflow_clinician_passphrase),
     .wants = WANTS_PASSPHRASE, .example = "consilium clinician passphrase grey"},
    {OWN("clinician renew", "LOGIN", "Issue another certificate, as an administrator", renew,
         workflow_clinician_renew),
     .wants = WANTS_PASSPHRASE, .example = "sudo consilium clinician renew grey --valid-days 1825"},
    {POST("clinician revoke", "LOGIN", "Revoke the certificate of an account",
          "clinicians/%s/revoke", clinician_revoke),
     .print = table_revoked,
     .example = "sudo consilium clinician revoke grey --reason left-the-institution"},

    GROUP("Asking"),
    {POST("draft new", "", "Begin a case; nothing of it leaves yet", "drafts", draft_fields),
     .print = render_draft,
     .example = "consilium draft new --question @question.txt --description @story.txt \\\n      "
                "--specialty oncology --service clinical-consult --reason rare \\\n      "
                "--wanted-count 2 --deadline 14d --language en --mode independent-first"},
    {.name = "draft edit",
     .arguments = "DRAFT",
     .help = "Change a draft",
     .method = METHOD_PUT,
     .path = "drafts/%s",
     .fields = draft_fields,
     .print = render_draft,
     .example = "consilium draft edit 41c0 --deadline 21d --question @question.txt"},
    {GET("draft list", "", "Your drafts", "drafts", nothing, table_drafts),
     .example = "consilium draft list"},
    {GET("draft show", "DRAFT", "A draft, and what is still missing", "drafts/%s", nothing,
         render_draft),
     .example = "consilium draft show 41c0"},
    {OWN("draft attach", "DRAFT FILE", "Attach text, PDF, PNG or JPEG", attach, workflow_attach),
     .example = "consilium draft attach 41c0 letter.pdf"},
    {.name = "draft detach",
     .arguments = "DRAFT ITEM",
     .help = "Take an attachment out",
     .method = METHOD_DELETE,
     .path = "drafts/%s/attachments/%s",
     .print = render_draft,
     .fields = nothing,
     .example = "consilium draft detach 41c0 letter.pdf"},
    {.name = "draft delete",
     .arguments = "DRAFT",
     .help = "Remove a draft",
     .method = METHOD_DELETE,
     .path = "drafts/%s",
     .fields = nothing,
     .print = table_deleted,
     .example = "consilium draft delete 41c0"},
    {OWN("preview", "DRAFT", "The exact bytes that would leave", previewing, workflow_preview),
     .example = "consilium preview 41c0 --save-items what-leaves"},
    {OWN("announce", "DRAFT", "Show what leaves, ask, sign and send", announce, workflow_announce),
     .wants = WANTS_SIGNER | WANTS_YES, .example = "consilium announce 41c0 --clinician grey"},

    GROUP("Looking"),
    {GET("inbox", "", "Announcements on your boards", "inbox", inbox, table_inbox),
     .example = "consilium inbox --specialty oncology --state all"},
    {GET("requests", "", "Requests to this institution alone", "requests", page, table_requests),
     .example = "consilium requests"},
    {GET("cases", "", "Cases that this institution has a part in", "cases", cases, table_cases),
     .example = "consilium cases --role requester --state open"},
    {OWN("show", "CASE", "A case and its thread", nothing, workflow_show),
     .example = "consilium show ee51"},
    {GET("thread", "CASE", "The records of a case", "cases/%s/thread", page, render_thread),
     .example = "consilium thread ee51 --after 50"},
    {GET("items", "CASE", "Documents and images of a case", "cases/%s/items", nothing, table_items),
     .example = "consilium items ee51"},

    GROUP("Taking part in a case of others"),
    {SIGN("join", "CASE", "Offer an opinion; the case file follows", "cases/%s/join", note),
     .example = "consilium join ee51 --note 'I treat ten of these a year.'"},
    {SIGN("decline", "CASE", "Say that you will not answer, and why", "cases/%s/decline", decline),
     .example = "consilium decline ee51 --reason not-my-field"},
    {OWN("fetch", "CASE", "Get the case file, with progress", fetch, workflow_fetch),
     .example = "consilium fetch ee51"},
    {OWN("read", "CASE", "Sign that you open what came, and write it out", reading, workflow_read),
     .wants = WANTS_SIGNER, .example = "consilium read ee51 --to case-ee51"},
    {OWN("reply", "CASE", "Give your signed opinion", opinion, workflow_reply),
     .wants = WANTS_SIGNER,
     .example = "consilium opinion template >opinion.json    # then fill it in\n  consilium reply "
                "ee51 --file opinion.json"},
    {OWN("ask", "CASE", "Ask for more, item by item", ask, workflow_ask), .wants = WANTS_SIGNER,
     .example = "consilium ask ee51 --records 'Creatinine since day 0' --test 'Audiogram'"},
    {SIGN("release", "CASE", "Make your own opinion readable", "cases/%s/release", release),
     .example = "consilium release ee51 --record c775"},
    {SIGN("discuss", "CASE", "Say something to all who take part", "cases/%s/post", post),
     .example = "consilium discuss ee51 --text 'Agreed; who does the audiogram?'"},
    {SIGN("flag", "CASE", "Report a record that should not be there", "cases/%s/flag", flag),
     .example = "consilium flag ee51 --record c775 --reason identifying-data"},

    GROUP("Leading a case of your own"),
    {GET("joins", "CASE", "Joins that wait for you", "cases/%s/joins", nothing, table_joins),
     .example = "consilium joins ee51"},
    {POST("grant", "CASE", "Give an institution access", "cases/%s/grants", grant),
     .wants = WANTS_SIGNER, .print = table_grant,
     .example = "consilium grant ee51 --participant 'Harbour University Hospital'"},
    {SIGN("refuse", "CASE JOIN", "Refuse who asked to join", "cases/%s/joins/%s/refuse", refuse),
     .example = "consilium refuse ee51 7d04 --note 'Two colleagues have it already.'"},
    {SIGN("ungrant", "CASE", "End an institution's access", "cases/%s/grants/end", ungrant),
     .example = "consilium ungrant ee51 --participant 63c4 --note 'withdrew'"},
    {OWN("supply", "CASE", "Supply what was asked for", supply, workflow_supply),
     .wants = WANTS_SIGNER | WANTS_YES,
     .example = "consilium supply ee51 --ask 5bec --answer 0=supplied \\\n      --answer "
                "'1=not-available:never done' --attach labs.txt"},
    {SIGN("reveal", "CASE", "Let all participants read the opinions", "cases/%s/reveal", records),
     .example = "consilium reveal ee51"},
    {SIGN("synthesis", "CASE", "Write your summary", "cases/%s/synthesis", synthesis),
     .example = "consilium synthesis ee51 --text @summary.txt --language en"},
    {SIGN("extend", "CASE", "Set a new deadline", "cases/%s/extend", extend),
     .example = "consilium extend ee51 --deadline 7d"},
    {OWN("close", "CASE", "Close the case", closing, workflow_close), .wants = WANTS_SIGNER,
     .example = "consilium close ee51"},
    {SIGN("outcome", "CASE", "Tell what became of the patient", "cases/%s/outcome", outcome),
     .example = "consilium outcome ee51 --day 21 --followed followed --result improved"},
    {SIGN("withdraw", "CASE", "Withdraw the case", "cases/%s/withdraw", note),
     .example = "consilium withdraw ee51 --note 'the patient went elsewhere'"},
    {OWN("erase", "CASE", "Destroy it everywhere, with receipts", nothing, workflow_erase),
     .wants = WANTS_SIGNER | WANTS_YES, .example = "consilium erase ee51"},
    {GET("erasure", "CASE", "Receipts of erasure, and who is silent", "cases/%s/erasure", nothing,
         table_erasure),
     .example = "consilium erasure ee51"},

    GROUP("Opinions that stand alone"),
    {OWN("opinion template", "", "An opinion to fill in, as JSON", nothing, workflow_template),
     .example = "consilium opinion template >opinion.json"},
    {OWN("opinion export", "CASE RECORD", "Write one opinion as a file", export_opinion,
         workflow_export),
     .example = "consilium opinion export ee51 c775 --to second.opinion"},
    {OWN("opinion verify", "FILE", "Check such a file, without a node", verify_opinion,
         workflow_verify),
     .example = "consilium opinion verify second.opinion --federation 57ab46a9..."},

    GROUP("Audit"),
    {GET("audit list", "", "What was done here", "audit", entries, table_entries),
     .example = "consilium audit list --case ee51"},
    {OWN("received", "CASE", "Who received this case, by the audit log", nothing,
         workflow_received),
     .example = "consilium received ee51"},
    {OWN("audit verify", "", "Find an altered, dropped or cut log", nothing, workflow_audit_verify),
     .example = "consilium audit verify"},
    {OWN("audit export", "", "All entries as JSON lines", export_audit, workflow_audit_export),
     .example = "consilium audit export --to audit.jsonl"},

    GROUP("The shell"),
    {OWN("completion", "", "Completion of commands and options, for bash", nothing, NULL),
     .example = "consilium completion >~/.local/share/bash-completion/completions/consilium"},
    {.name = NULL}};

const struct command *command_table_find(int argc, char **argv, int *ret_words)
{
    const struct command *found = NULL;
    for (const struct command *command = command_table_commands; command->name != NULL; command++) {
        char two[128];
        bool has_two = strchr(command->name, ' ') != NULL;
        if (has_two && argc < 2)
            continue;
        snprintf(two, sizeof two, "%s%s%s", argv[0], has_two ? " " : "", has_two ? argv[1] : "");
        if (strcmp(two, command->name) == 0 && (found == NULL || has_two)) {
            found = command;
            *ret_words = has_two ? 2 : 1;
        }
    }
    return found;
}

bool command_table_list_group(const char *word)
{
    size_t size = strlen(word);
    bool is_group = false;
    for (const struct command *command = command_table_commands; command->name != NULL; command++) {
        if (strncmp(command->name, word, size) != 0 || command->name[size] != ' ')
            continue;
        if (!is_group)
            fprintf(stderr, "consilium: `%s` wants one word more:\n", word);
        is_group = true;
        fprintf(stderr, "  %-18s %-12s %s\n", command->name, command->arguments, command->help);
    }
    return is_group;
}

void command_table_list(void)
{
    for (const struct command *command = command_table_commands; command->name != NULL; command++) {
        if (command->name[0] == '#') {
            printf("\n%s\n", command->help);
            continue;
        }
        char words[64];
        snprintf(words, sizeof words, "%s %s", command->name, command->arguments);
        printf("  %-26s %s\n", words, command->help);
    }
}
