/* text_poke_sync.c - see text_poke_sync.h. */
#include "loader/text/text_poke_sync.h"

#include <linux/membarrier.h>

#include "base/sys.h"

int text_poke_sync_ready(void)
{
    return (int)sys_call3(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, 0,
                          0);
}

void text_poke_sync(void)
{
    sys_call3(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0);
}
