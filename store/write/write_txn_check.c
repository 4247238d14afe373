/* What LMDB answered to an op. */
#include "store/write/write_txn.h"

err write_txn_check(struct write_txn *group, int code)
{
    err result = env_error(code);
    if (result != OK && result != ERR_NOT_FOUND && result != ERR_DUPLICATE) {
        group->broken = true;
    }
    return result;
}
