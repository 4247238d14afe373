/* What LMDB answered to an op. */
#include "store/group.h"

err group_check(struct group *group, int code)
{
    err result = env_error(code);
    if (result != OK && result != ERR_NOT_FOUND && result != ERR_DUPLICATE) {
        group->broken = true;
    }
    return result;
}
