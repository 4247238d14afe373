/* What a daemon cannot do any more, even when it was taken over: Landlock for paths, seccomp for
 * system calls.
 *
 * Two steps, because Landlock binds the calling thread and its later children only: sandbox_paths
 * before the first thread (zap_authenticator_new and workers_new start some), sandbox_calls when
 * everything is open and running (it binds all threads). */
#ifndef CONSILIUM_NODE_OS_SANDBOX_H
#define CONSILIUM_NODE_OS_SANDBOX_H

#include <stdbool.h>

#include "protocol/base/error.h"

struct sandbox {
    const char *const *read_paths;  /* files and directories to read; ends with NULL */
    const char *const *write_paths; /* directories to read and write in; ends with NULL */
    const char *const *run_paths;   /* programs that may be run as children; NULL: no execve */
};

/* Besides the paths given: /etc/resolv.conf, hosts, nsswitch.conf, gai.conf, localtime, the shared
 * libraries and /dev/null, urandom may be read. Paths that are missing are passed over.
 *
 *   ERR_UNSUPPORTED  this kernel has no Landlock: log it, go on
 *   ERR_IO           do not start; errno says why */
MUST_USE err sandbox_paths(const struct sandbox *sandbox);

/* Allow-list of system calls; all others fail with EPERM. No execve unless `run_paths`; never
 * ptrace, mount, module, bpf, keyctl, io_uring, namespaces. ERR_IO: do not start. */
MUST_USE err sandbox_calls(const struct sandbox *sandbox);

#endif
