/* Requests to the local node over its Unix socket. */
#ifndef CONSILIUM_NODE_CLI_COMMAND_REQUEST_H
#define CONSILIUM_NODE_CLI_COMMAND_REQUEST_H

#include "node/cli/command/command.h"

/* `path` as after /v1/FEDERATION/, or from /v1/ when it begins with a slash. `body` is borrowed and
 * may be NULL. Returns the answer, which the caller drops; NULL after an error, which was printed.
 */
json_t *request_send(struct command_run *run, enum command_method method, const char *path,
                     const json_t *body);

/* Has the node check what is to be signed: all that it would refuse, but the passphrase. The
 * clinician is added to the body. False after an error, which was printed. */
bool request_check(struct command_run *run, const char *path, json_t *body);

/* request_send with the clinician and the passphrase added to the body. What was not checked is
 * checked first, so that nobody types a passphrase for what is refused. Asks for the passphrase
 * once per run. */
json_t *request_sign(struct command_run *run, enum command_method method, const char *path,
                     json_t *body);

/* Sets run->clinician to this user's login when --clinician is not given. False, with an error
 * printed, when the user has no login name. */
bool request_signer(struct command_run *run);

/* All pages of the thread of the case that the command names; NULL after an error, which was
 * printed. */
json_t *request_thread(struct command_run *run);

/* A GET that takes long: the path `poll` reports progress as {"done", "all"}, counted in `what`. */
json_t *request_wait(struct command_run *run, const char *path, const char *poll, const char *what);

/* Uploads `data` as application/octet-stream. */
json_t *request_upload(struct command_run *run, const char *path, const void *data, size_t size);

/* Downloads to `file` (output_file.h); --yes replaces another file of that name. False after an
 * error, which was printed. `body` NULL: GET, else POST. */
bool request_download(struct command_run *run, const char *path, const json_t *body,
                      const char *file);

/* Calls `on_line` for each line of an event stream until it returns false or the stream ends. */
bool request_lines(struct command_run *run, const char *path,
                   bool (*on_line)(void *arg, char *line), void *arg);

/* Escapes one segment or value of a path; caller frees. */
char *request_escape(const char *text);

#endif
