/* All commands. The options are fields of the API; spec/api.md defines each. */
#include "node/cli/command_table.h"

#include <stdio.h>
#include <string.h>

#include "node/cli/command/workflow.h"
#include "node/cli/command/workflow_clinician.h"
#include "node/cli/command/workflow_draft.h"
#include "node/cli/command/workflow_items.h"
#include "node/cli/command/workflow_opinion.h"
#include "node/cli/command/workflow_read.h"
#include "node/cli/command/workflow_received.h"
#include "node/cli/command/workflow_reply.h"
#include "node/cli/present/render.h"
#include "node/cli/present/render_draft.h"
#include "node/cli/present/render_status.h"
#include "node/cli/present/table.h"

#define NOTE                                                                                       \
    {                                                                                              \
        "note", FIELD_TEXT, false, "TEXT", "A short remark; it becomes part of the record"         \
    }
#define LANGUAGE                                                                                   \
    {                                                                                              \
        "language", FIELD_TEXT, false, "TAG", "Language of the text, such as en or zh-Hans"        \
    }
#define END                                                                                        \
    {                                                                                              \
        NULL, FIELD_TEXT, false, NULL, NULL                                                        \
    }

static const struct command_field clinician_add[] = {
    {"login", FIELD_TEXT, true, "LOGIN", "Name of the account"},
    {"name", FIELD_TEXT, true, "NAME", "The clinician's full name"},
    {"credentials", FIELD_TEXT, true, "TEXT", "For example \"MD, PhD\""},
    {"specialties", FIELD_LIST, true, "TAG",
     "A specialty, for example oncology; repeat it for more"},
    {"country", FIELD_TEXT, true, "CC", "Country of practice, two letters"},
    {"licence", FIELD_TEXT, false, "NUMBER", "Licence number"},
    {"valid_days", FIELD_NUMBER, false, "DAYS", "Validity of the certificate; default 1825"},
    {"uid", FIELD_NUMBER, false, "UID",
     "The user of this machine who may sign; default: the user named LOGIN"},
    END};
static const struct command_field passphrase[] = {
    {"new_passphrase_file", FIELD_LOCAL, false, "FILE",
     "File with the new passphrase in its first line (mode 600); default: you are asked twice"},
    END};
static const struct command_field renew[] = {
    {"valid_days", FIELD_NUMBER, false, "DAYS", "Validity from today; default 1825"},
    {"specialties", FIELD_LIST, false, "TAG",
     "New specialties; repeat it for more; needs the clinician's passphrase"},
    END};
static const struct command_field clinician_revoke[] = {
    {"reason", FIELD_TEXT, true, "REASON",
     "left-the-institution, key-compromised, key-lost, replaced, licence-ended, issued-wrongly"},
    NOTE,
    END};
static const struct command_field draft_fields[] = {
    {"question", FIELD_TEXT, false, "TEXT",
     "The question, which the whole board reads; @FILE reads it from a file"},
    {"description", FIELD_TEXT, false, "TEXT",
     "The case, which only participants read; @FILE reads it from a file"},
    {"specialty", FIELD_TEXT, false, "TAG", "The board to ask, for example oncology"},
    {"service", FIELD_TEXT, false, "KIND", "clinical-consult, radiology-read, pathology-read"},
    {"reason", FIELD_TEXT, false, "REASON",
     "unclear-diagnosis, serious, rare, local-options-exhausted, risky-treatment, reassurance"},
    {"wanted_count", FIELD_NUMBER, false, "N", "Number of opinions that you ask for"},
    {"deadline", FIELD_TIME, false, "WHEN", "14d, 36h, or a date 2026-01-31T12:00:00.000Z"},
    LANGUAGE,
    {"mode", FIELD_TEXT, false, "MODE", "independent-first or open"},
    {"age", FIELD_TEXT, false, "BAND", "newborn, infant, child, adolescent, 18-29 ... 80+"},
    {"sex", FIELD_TEXT, false, "SEX", "female, male, other"},
    {"country", FIELD_TEXT, false, "CC", "The patient's country, two letters"},
    {"consent", FIELD_TEXT, false, "TEXT", "The consent of the patient, and where it is filed"},
    {"initiative", FIELD_TEXT, false, "WHO", "physician or patient"},
    {"directed", FIELD_LIST, false, "MEMBER",
     "Ask only this institution, no board; repeat it for more"},
    {"emergency", FIELD_FLAG, false, NULL, "Always refused: in an emergency, telephone"},
    END};
static const struct command_field sharing[] = {
    {"login", FIELD_TEXT, true, "LOGIN", "The colleague's account at this institution"},
    {"end", FIELD_FLAG, false, NULL, "End it: this colleague no longer sees the draft"},
    END};
static const struct command_field attach[] = {
    {"name", FIELD_LOCAL, false, "NAME",
     "The name that participants see; default: the name of the file"},
    {"pages_as_pictures", FIELD_LOCAL, false, NULL,
     "Send each page of a PDF as a picture of 150 dpi, without any text"},
    END};
static const struct command_field announce[] = {
    {"confirmed_by", FIELD_TEXT, false, "NAME",
     "Full name of the person who has read the preview and confirms it"},
    {"keep_reason", FIELD_TEXT, false, "TEXT",
     "Why what the preview marks may stay, for the audit log; for example: an eponym, no person"},
    {"preview", FIELD_TEXT, false, "HASH", "The preview that this person has read (for scripts)"},
    END};
static const struct command_field previewing[] = {
    {"save_items", FIELD_LOCAL, false, "FOLDER",
     "Write the attachments to FOLDER exactly as they would be sent; it is created if missing"},
    END};
static const struct command_field page[] = {
    {"limit", FIELD_NUMBER, false, "N", "Show at most N; 200 is the most"},
    {"after", FIELD_TEXT, false, "MARK", "Continue after the page that ended with MARK"},
    END};
static const struct command_field inbox[] = {
    {"specialty", FIELD_TEXT, false, "TAG", "Only this board and its sub-boards"},
    {"state", FIELD_TEXT, false, "STATE", "open, closed, all; default open"},
    {"language", FIELD_TEXT, false, "TAG", "Only this language"},
    {"limit", FIELD_NUMBER, false, "N", "Show at most N; 200 is the most"},
    {"after", FIELD_TEXT, false, "MARK", "Continue after the page that ended with MARK"},
    END};
static const struct command_field cases[] = {
    {"role", FIELD_TEXT, false, "ROLE", "requester, participant, all"},
    {"state", FIELD_TEXT, false, "STATE", "open, closed, all"},
    {"specialty", FIELD_TEXT, false, "TAG", "Only this board"},
    END};
static const struct command_field members[] = {
    {"text", FIELD_TEXT, false, "TEXT", "Only names that contain TEXT"},
    {"board", FIELD_TEXT, false, "TAG", "Only institutions that serve this board"},
    {"country", FIELD_TEXT, false, "CC", "Only this country"},
    END};
static const struct command_field specialists[] = {
    {"text", FIELD_TEXT, false, "TEXT", "Only names that contain TEXT"},
    {"specialty", FIELD_TEXT, false, "TAG", "Only this specialty"},
    {"country", FIELD_TEXT, false, "CC", "Only this country"},
    END};
static const struct command_field note[] = {NOTE, END};
static const struct command_field grant[] = {
    {"participant", FIELD_TEXT, true, "MEMBER", "The institution, by name or id"},
    {"join", FIELD_TEXT, false, "RECORD", "The request to join that this answers"},
    END};
static const struct command_field refuse[] = {
    {"reason", FIELD_TEXT, false, "REASON",
     "unavailable, not-my-field, local-care-adequate, conflict-of-interest, other; default other"},
    {"note", FIELD_TEXT, false, "TEXT", "A short remark to the institution that asked to join"},
    END};
static const struct command_field closing[] = {
    NOTE,
    {"without_synthesis", FIELD_FLAG, false, NULL,
     "Close the case although you have written no summary of the opinions"},
    END};
static const struct command_field ungrant[] = {
    {"participant", FIELD_TEXT, true, "MEMBER", "The institution, by name or id"}, NOTE, END};
static const struct command_field decline[] = {
    {"reason", FIELD_TEXT, true, "REASON",
     "unavailable, not-my-field, local-care-adequate, conflict-of-interest, other"},
    {"text", FIELD_TEXT, false, "TEXT", "Why"},
    END};
static const struct command_field fetch[] = {
    {"items", FIELD_LIST, false, "ITEM", "Only this item; repeat it for more; default: all"}, END};
static const struct command_field reading[] = {
    {"items", FIELD_LOCALS, false, "ITEM", "Only this item; repeat it for more; default: all"},
    {"records", FIELD_LOCALS, false, "RECORD",
     "Only this record; repeat it for more; default: all that are new"},
    {"to", FIELD_LOCAL, false, "FOLDER",
     "Where to write the items; created if missing; default: this folder"},
    END};
static const struct command_field opinion[] = {
    {"file", FIELD_LOCAL, false, "FILE", "The opinion as JSON; see `consilium opinion template`"},
    {"text", FIELD_TEXT, false, "TEXT", "The opinion; @FILE reads it from a file"},
    LANGUAGE,
    {"diagnosis", FIELD_TEXT, false, "WHAT", "confirmed, clarified, changed"},
    {"diagnosis_text", FIELD_TEXT, false, "TEXT", "The diagnosis in words"},
    {"treatment", FIELD_TEXT, false, "WHAT", "same, modified, changed"},
    {"treatment_text", FIELD_TEXT, false, "TEXT", "The treatment in words"},
    {"confidence", FIELD_TEXT, false, "GRADE", "very-low, low, moderate, high"},
    {"references", FIELD_LIST, false, "TEXT", "A reference; repeat it for more"},
    {"trials", FIELD_LIST, false, "TEXT", "A trial; repeat it for more"},
    {"replaces", FIELD_TEXT, false, "RECORD",
     "The earlier opinion of yours that this one replaces"},
    {"additional", FIELD_FLAG, false, NULL,
     "Give a further opinion; your institution still counts once"},
    END};
static const struct command_field post[] = {
    {"text", FIELD_TEXT, true, "TEXT", "The message; @FILE reads it from a file"},
    LANGUAGE,
    {"answers", FIELD_TEXT, false, "RECORD", "The record that the message is about"},
    END};
static const struct command_field ask[] = {
    {"records", FIELD_LOCALS, false, "TEXT", "Records that you need; repeat it for more"},
    {"test", FIELD_LOCALS, false, "TEXT", "A test that you need; repeat it for more"},
    {"image", FIELD_LOCALS, false, "TEXT", "An image that you need; repeat it for more"},
    {"other", FIELD_LOCALS, false, "TEXT", "Anything else that you need; repeat it for more"},
    NOTE,
    END};
static const struct command_field supply[] = {
    {"ask", FIELD_TEXT, false, "RECORD", "The request (record of `ask`) that this answers"},
    {"answer", FIELD_LOCALS, false, "N=WHAT[:NOTE]",
     "Item N of the request, as `show` numbers it from 0: supplied, not-available, not-given; "
     "repeat it for more"},
    {"attach", FIELD_LOCALS, false, "FILE", "A file to supply; repeat it for more"},
    {"pages_as_pictures", FIELD_LOCAL, false, NULL,
     "Send each page of a PDF as a picture of 150 dpi, without any text"},
    {"description", FIELD_TEXT, false, "TEXT",
     "A new description of the case; @FILE reads it from a file"},
    NOTE,
    {"confirmed_by", FIELD_LOCAL, false, "NAME",
     "Full name of the person who has read the preview and confirms it"},
    {"keep_reason", FIELD_LOCAL, false, "TEXT",
     "Why what the preview marks may stay, for the audit log; for example: an eponym, no person"},
    {"preview", FIELD_LOCAL, false, "HASH", "The preview that this person has read (for scripts)"},
    END};
static const struct command_field records[] = {
    {"records", FIELD_LIST, false, "RECORD",
     "Only this opinion; repeat it for more; default: all that arrived"},
    END};
static const struct command_field release[] = {
    {"record", FIELD_TEXT, true, "RECORD", "The opinion of yours to release"}, END};
static const struct command_field synthesis[] = {
    {"text", FIELD_TEXT, true, "TEXT", "Your summary; @FILE reads it from a file"},
    LANGUAGE,
    {"records", FIELD_LIST, false, "RECORD", "An opinion that it is based on; repeat it for more"},
    END};
static const struct command_field extend[] = {
    {"deadline", FIELD_TIME, true, "WHEN", "14d, 36h, or a date"},
    {"wanted_count", FIELD_NUMBER, false, "N", "New number of opinions that you ask for"},
    END};
static const struct command_field outcome[] = {
    {"day", FIELD_NUMBER, true, "N", "Days since the case was closed, for example 21 or 90"},
    {"followed", FIELD_TEXT, true, "WHAT", "followed, partly-followed, not-followed, unknown"},
    {"result", FIELD_TEXT, true, "WHAT", "improved, unchanged, worse, died, unknown"},
    {"final_diagnosis", FIELD_TEXT, false, "TEXT", "The final diagnosis"},
    {"text", FIELD_TEXT, false, "TEXT", "What happened"},
    {"opinions", FIELD_LIST, false, "RECORD", "An opinion that was followed; repeat it for more"},
    END};
static const struct command_field flag[] = {
    {"record", FIELD_TEXT, true, "RECORD", "The record that is wrong"},
    {"reason", FIELD_TEXT, true, "REASON", "identifying-data, wrong-case, unprofessional, other"},
    {"text", FIELD_TEXT, false, "TEXT", "What is wrong"},
    END};
static const struct command_field export_opinion[] = {
    {"to", FIELD_LOCAL, false, "FILE", "The file to write; default: RECORD.opinion"}, END};
static const struct command_field verify_opinion[] = {
    {"head", FIELD_LOCAL, false, "ID", "A later roster head that you trust"}, END};
static const struct command_field report[] = {
    {"to", FIELD_LOCAL, false, "FILE", "The file to write; default: MEMBER.report"}, END};
static const struct command_field entries[] = {
    {"case", FIELD_TEXT, false, "CASE", "Only entries about this case"},
    {"limit", FIELD_NUMBER, false, "N", "Show at most N; 200 is the most"},
    {"after", FIELD_TEXT, false, "MARK", "Continue after the page that ended with MARK"},
    END};
static const struct command_field export_audit[] = {
    {"to", FIELD_LOCAL, false, "FILE", "The file to write; default: audit.jsonl"}, END};
static const struct command_field heal[] = {
    {"fingerprint", FIELD_TEXT, true, "DIGITS",
     "The fingerprint, as two officers of the society read it out"},
    END};
static const struct command_field nothing[] = {END};

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
    POST(words, takes, what, where, options), .wants = WANTS_SIGNER | WANTS_YES, .print = table_done
#define OWN(words, takes, what, options, function)                                                 \
    .name = words, .arguments = takes, .help = what, .fields = options, .run = function

const struct command command_table_commands[] = {
    GROUP("The node"),
    {OWN("status", "", "State of the node: connections, roster, disk", nothing, workflow_status),
     .example = "consilium status"},
    {OWN("doctor", "", "Check this node, and say what to do", nothing, workflow_doctor),
     .example = "consilium doctor"},
    {OWN("metrics", "", "State of the node, for Prometheus", nothing, workflow_metrics),
     .example = "consilium metrics >consilium.prom"},
    {GET("members", "", "Institutions of the federation", "members", members, table_members),
     .example = "consilium members --board oncology --country CH"},
    {GET("specialists", "", "Clinicians of all members", "specialists", specialists,
         table_specialists),
     .example = "consilium specialists --specialty hematology/bmt --text Grey"},
    {POST("roster heal", "", "Accept the roster head that ends a split", "roster/heal", heal),
     .example = "consilium roster heal --fingerprint '12345 67890 ...'"},
    {OWN("report", "MEMBER", "Last positions of a member, for the society", report,
         workflow_report),
     .wants = WANTS_YES, .example = "consilium report 'Lakeside Hospital' --to lakeside.report"},
    {GET("boards", "", "Boards, and how many members serve each", "boards", nothing, table_boards),
     .example = "consilium boards"},
    {GET("relays", "", "Relays, and whether each is connected", "relays", nothing, table_relays),
     .example = "consilium relays"},
    {OWN("watch", "", "Print each new event, until Ctrl-C", nothing, workflow_watch),
     .example = "consilium watch"},

    GROUP("Clinicians of this institution"),
    {OWN("clinician add", "", "Create an account (administrator)", clinician_add,
         workflow_clinician_add),
     .wants = WANTS_PASSPHRASE,
     .example = "sudo consilium clinician add --login grey --credentials MD \\\n    "
                "--name 'Dr. Meredith Grey' --specialties oncology --country CH"},
    {GET("clinician list", "", "Accounts", "clinicians", nothing, table_clinicians),
     .example = "consilium clinician list"},
    {OWN("clinician passphrase", "LOGIN", "Change the passphrase of your account", passphrase,
         workflow_clinician_passphrase),
     .wants = WANTS_PASSPHRASE, .example = "consilium clinician passphrase grey"},
    {OWN("clinician renew", "LOGIN", "Issue a new certificate (administrator)", renew,
         workflow_clinician_renew),
     .wants = WANTS_PASSPHRASE, .example = "sudo consilium clinician renew grey --valid-days 1825"},
    {POST("clinician revoke", "LOGIN", "Revoke the certificate of an account",
          "clinicians/%s/revoke", clinician_revoke),
     .wants = WANTS_YES, .print = table_revoked,
     .confirm = "This account can never sign again. Revoke its certificate?",
     .example = "sudo consilium clinician revoke grey --reason left-the-institution"},

    GROUP("Asking for opinions"),
    {OWN("draft new", "", "Begin a case; nothing is sent yet", draft_fields, workflow_draft_new),
     .example = "consilium draft new --question @question.txt \\\n    "
                "--description @description.txt --specialty oncology \\\n    "
                "--service clinical-consult --reason rare --wanted-count 2 \\\n    "
                "--deadline 14d --language en --mode independent-first"},
    {OWN("draft edit", "DRAFT", "Change a draft", draft_fields, workflow_draft_edit),
     .example = "consilium draft edit 41c0 --deadline 21d --question @question.txt"},
    {GET("draft list", "", "Your drafts", "drafts", nothing, table_drafts),
     .example = "consilium draft list"},
    {GET("draft show", "DRAFT", "A draft, and what it still lacks", "drafts/%s", nothing,
         render_draft),
     .example = "consilium draft show 41c0"},
    {OWN("draft attach", "DRAFT FILE", "Attach text, PDF, PNG or JPEG", attach, workflow_attach),
     .example = "consilium draft attach 41c0 letter.pdf"},
    {POST("draft share", "DRAFT", "Let a colleague here read, change and sign it",
          "drafts/%s/share", sharing),
     .print = render_draft, .example = "consilium draft share 41c0 --login berg"},
    {.name = "draft detach",
     .arguments = "DRAFT ITEM",
     .help = "Remove an attachment",
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
    {GET("draft owners", "", "Whose the drafts are (administrator)", "draft-owners", nothing,
         table_draft_owners),
     .example = "sudo consilium draft owners"},
    {.name = "draft clear",
     .arguments = "UID",
     .help = "Delete all drafts of a user (administrator)",
     .method = METHOD_DELETE,
     .path = "draft-owners/%s",
     .fields = nothing,
     .print = table_draft_cleared,
     .example = "sudo consilium draft clear 1001"},
    {.name = "draft remove",
     .arguments = "UID DRAFT",
     .help = "Delete one draft of a user (administrator)",
     .method = METHOD_DELETE,
     .path = "draft-owners/%s/%s",
     .fields = nothing,
     .print = table_draft_cleared,
     .example = "sudo consilium draft remove 1001 41c0"},
    {OWN("preview", "DRAFT", "Show exactly what would be sent", previewing, workflow_preview),
     .wants = WANTS_YES, .example = "consilium preview 41c0 --save-items what-leaves"},
    {OWN("announce", "DRAFT", "Show what is sent, ask, sign and send", announce, workflow_announce),
     .wants = WANTS_SIGNER | WANTS_YES, .example = "consilium announce 41c0 --clinician grey"},

    GROUP("Reading"),
    {GET("inbox", "", "Announcements on your boards", "inbox", inbox, table_inbox),
     .example = "consilium inbox --specialty oncology --state all"},
    {GET("requests", "", "Requests to this institution only", "requests", page, table_requests),
     .example = "consilium requests"},
    {GET("cases", "", "Cases that this institution takes part in", "cases", cases, table_cases),
     .example = "consilium cases --role requester --state open"},
    {OWN("show", "CASE", "A case and its thread", nothing, workflow_show),
     .example = "consilium show ee51"},
    {GET("thread", "CASE", "The records of a case", "cases/%s/thread", page, render_thread),
     .example = "consilium thread ee51 --after 50"},
    {GET("items", "CASE", "Documents and images of a case", "cases/%s/items", nothing, table_items),
     .example = "consilium items ee51"},

    GROUP("Taking part in a case of another institution"),
    {SIGN("join", "CASE", "Offer an opinion; the case file follows", "cases/%s/join", note),
     .confirm = "The requester reads this, and gives this institution access or refuses. Sign it?",
     .example = "consilium join ee51 --note 'I treat ten of these a year.'"},
    {SIGN("decline", "CASE", "Say that you will not answer, and why", "cases/%s/decline", decline),
     .confirm = "The requester reads that this institution will not answer. Sign it?",
     .example = "consilium decline ee51 --reason not-my-field"},
    {OWN("fetch", "CASE", "Download the case file, with progress", fetch, workflow_items_fetch),
     .example = "consilium fetch ee51"},
    {OWN("read", "CASE", "Sign a receipt, write items to files", reading, workflow_read),
     .wants = WANTS_SIGNER | WANTS_YES,
     .confirm = "This receipt says that you, in person, opened all of these. Sign it?",
     .example = "consilium read ee51 --to case-ee51"},
    {OWN("reply", "CASE", "Give your signed opinion", opinion, workflow_reply_give),
     .wants = WANTS_SIGNER | WANTS_YES,
     .confirm = "This opinion is signed in your name and cannot be recalled. Sign it?",
     .example = "consilium opinion template >opinion.json    # then fill it in\n"
                "consilium reply ee51 --file opinion.json"},
    {OWN("ask", "CASE", "Ask for records, tests or images", ask, workflow_ask),
     .wants = WANTS_SIGNER | WANTS_YES,
     .confirm = "The requester will read what you ask for. Sign it?",
     .example = "consilium ask ee51 --test Audiogram \\\n    --records 'Creatinine since day 0'"},
    {SIGN("release", "CASE", "Let the participants read your opinion", "cases/%s/release", release),
     .confirm = "All participants will read your opinion; this cannot be undone. Sign it?",
     .example = "consilium release ee51 --record c775"},
    {SIGN("discuss", "CASE", "Write to all participants", "cases/%s/post", post),
     .confirm = "All participants will read this, and it cannot be recalled. Sign it?",
     .example = "consilium discuss ee51 --text 'Agreed; who does the audiogram?'"},
    {SIGN("flag", "CASE", "Report a record that should not be there", "cases/%s/flag", flag),
     .confirm = "All participants will read that this record is flagged, and by whom. Sign it?",
     .example = "consilium flag ee51 --record c775 --reason identifying-data"},

    GROUP("Leading your own case"),
    {GET("joins", "CASE", "Requests to join that wait for you", "cases/%s/joins", nothing,
         table_joins),
     .example = "consilium joins ee51"},
    {POST("grant", "CASE", "Give an institution access", "cases/%s/grants", grant),
     .wants = WANTS_SIGNER | WANTS_YES, .print = table_grant,
     .confirm = "This institution will receive the whole case file. Sign it?",
     .example = "consilium grant ee51 --participant 'Harbour University Hospital'"},
    {SIGN("refuse", "CASE JOIN", "Refuse a request to join", "cases/%s/joins/%s/refuse", refuse),
     .confirm = "The institution is told that it gets no access. Sign it?",
     .example = "consilium refuse ee51 7d04 --note 'Two colleagues have answered.'"},
    {SIGN("ungrant", "CASE", "End an institution's access", "cases/%s/grants/end", ungrant),
     .confirm = "This ends the institution's access; what it has received stays there. Sign it?",
     .example = "consilium ungrant ee51 --participant 63c4 --note 'withdrew'"},
    {OWN("supply", "CASE", "Supply what a participant asked for", supply, workflow_supply),
     .wants = WANTS_SIGNER | WANTS_YES,
     .example = "consilium supply ee51 --ask 5bec --answer 0=supplied \\\n    "
                "--answer '1=not-available:never done' --attach labs.txt"},
    {SIGN("reveal", "CASE", "Let all participants read the opinions", "cases/%s/reveal", records),
     .confirm = "All participants will read these opinions; this cannot be undone. Sign it?",
     .example = "consilium reveal ee51"},
    {SIGN("synthesis", "CASE", "Write your summary", "cases/%s/synthesis", synthesis),
     .confirm = "All participants will read this summary. Sign it?",
     .example = "consilium synthesis ee51 --text @summary.txt --language en"},
    {SIGN("extend", "CASE", "Set a new deadline", "cases/%s/extend", extend),
     .confirm = "All participants will read the new deadline. Sign it?",
     .example = "consilium extend ee51 --deadline 7d"},
    {OWN("close", "CASE", "Close the case", closing, workflow_close),
     .wants = WANTS_SIGNER | WANTS_YES,
     .confirm = "This closes the case for all participants. Sign it?",
     .example = "consilium close ee51"},
    {SIGN("outcome", "CASE", "Report the outcome for the patient", "cases/%s/outcome", outcome),
     .confirm = "All participants will read this outcome. Sign it?",
     .example = "consilium outcome ee51 --day 21 \\\n    --followed followed --result improved"},
    {SIGN("withdraw", "CASE", "Withdraw the case", "cases/%s/withdraw", note),
     .confirm = "This withdraws the case for all participants. Sign it?",
     .example = "consilium withdraw ee51 --note 'the patient went elsewhere'"},
    {OWN("erase", "CASE", "Destroy the case everywhere, with receipts", nothing, workflow_erase),
     .wants = WANTS_SIGNER | WANTS_YES, .example = "consilium erase ee51"},
    {GET("erasure", "CASE", "Receipts of erasure, and who sent none", "cases/%s/erasure", nothing,
         table_erasure),
     .example = "consilium erasure ee51"},

    GROUP("Opinions as files"),
    {OWN("opinion template", "", "An opinion to fill in, as JSON", nothing,
         workflow_reply_template),
     .example = "consilium opinion template >opinion.json"},
    {OWN("opinion export", "CASE RECORD", "Write one opinion as a file", export_opinion,
         workflow_opinion_export),
     .wants = WANTS_YES, .example = "consilium opinion export ee51 c775 --to second.opinion"},
    {OWN("opinion verify", "FILE", "Check an exported opinion; needs no node", verify_opinion,
         workflow_opinion_verify),
     .example = "consilium opinion verify second.opinion \\\n    --federation ID    # all 64 "
                "digits, from whom you trust"},

    GROUP("Audit"),
    {GET("audit list", "", "What was done here (the whole: privacy officers)", "audit", entries,
         table_entries),
     .example = "consilium audit list --case ee51"},
    {OWN("received", "CASE", "Who received this case (from the audit log)", nothing,
         workflow_received),
     .example = "consilium received ee51"},
    {OWN("audit verify", "", "Check the log for changed or missing entries", nothing,
         workflow_audit_verify),
     .example = "consilium audit verify"},
    {OWN("audit export", "", "All entries as JSON lines (privacy officers)", export_audit,
         workflow_audit_export),
     .wants = WANTS_YES, .example = "consilium audit export --to audit.jsonl"},

    GROUP("The shell"),
    {OWN("completion", "", "Completion of commands and options, for bash", nothing, NULL),
     .example = "cd ~/.local/share/bash-completion/completions\nconsilium completion >consilium"},
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
            fprintf(stderr, "consilium: `%s` needs a second word; one of:\n", word);
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
