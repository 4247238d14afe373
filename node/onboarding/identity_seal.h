/* Sealing an institution's keys later, or under another passphrase: both files, or neither.
 *
 * Each file is written again beside the old one, as NAME.new, and the old one keeps a second name,
 * NAME.old. Renaming identity.key.new is what decides. Whoever opens the keys next after a crash
 * finishes what was decided, or takes back what was not. Then what the old files held is
 * overwritten (a disk that writes elsewhere, such as flash, and backups may keep it longer). */
#ifndef CONSILIUM_NODE_ONBOARDING_IDENTITY_SEAL_H
#define CONSILIUM_NODE_ONBOARDING_IDENTITY_SEAL_H

#include "node/onboarding/identity.h"

/* Seals both keys in `data` under `fresh`. `old` opens them; NULL: they lie bare. A node may run
 * meanwhile: it has its keys already. On failure they are as they were.
 *
 *   ERR_STATE       they are sealed, and `old` is NULL; or they are bare, and it is not
 *   ERR_PASSPHRASE  `old` does not open them
 *   ERR_BUSY        somebody else is at it
 *   ERR_IO          no room, a file system without links...: `ret_problem` says what */
MUST_USE err identity_seal_keys(const char *data, const struct bytes *old,
                                const struct bytes *fresh, struct secure_arena *secrets,
                                char ret_problem[static IDENTITY_PROBLEM_SIZE]);

/* Puts in order what a crash left. Nothing to do: OK. ERR_BUSY, ERR_IO. */
MUST_USE err identity_seal_mend(const char *data, char ret_problem[static IDENTITY_PROBLEM_SIZE]);

#endif
