/* What the pending head changes, for the officer who is to sign it: every difference to the head in
 * force. */
#ifndef CONSILIUM_BOOTSTRAP_PRESENT_SOCIETY_CHANGES_H
#define CONSILIUM_BOOTSTRAP_PRESENT_SOCIETY_CHANGES_H

#include "bootstrap/directory/society_directory.h"

/* Prints the pending head: its epoch and fingerprint, who has signed and who has not, then the
 * settings (old -> new), officers and members that change. */
void society_changes_show(const struct society *society);

/* Prints the names of the officers who have signed it and of those who have not. */
void society_changes_signers(const struct society *society);

#endif
