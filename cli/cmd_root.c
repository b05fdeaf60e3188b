/* imgsearch root mv: records that a folder of pictures has moved. */
#include "cli/base/message.h"
#include "cli/base/path.h"
#include "cli/context/context.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct root_args {
	common_args common;
} root_args;

static const option options[] = { OPT_END };

/* "NAME:" stays as it is. */
static char *root_path(const char *operand)
{
	return path_is_named(operand) ? strdup(operand) : path_absolute(operand);
}

static int run(context *c, void *args)
{
	imgsearch_error err;
	(void)args;
	int rc = context_open(c, false);
	if (rc)
		return rc;
	char *from = root_path(c->operand[0]), *to = root_path(c->operand[1]);
	if (!from || !to)
		rc = cli_nomem();
	else if (imgsearch_root_move(c->s, from, to, &c->call, &err))
		rc = context_error(c, &err);
	else
		context_print(c, "%s: its pictures are now looked for in %s%s", from, to,
			*to == '/' && access(to, F_OK) ? ", which is not there yet" : "");
	free(from);
	free(to);
	return rc;
}

const command cmd_root_mv = {
	.name = "root mv",
	.operands = "OLD NEW",
	.summary = "record that a folder of pictures has moved",
	.text = "Tells the index that a folder has moved from OLD to NEW. Its pictures "
			"keep their vectors, and nothing is read again. imgsearch info lists the folders.\n\n"
			"NEW can be a name and a colon: the index knows the folder by that name from then on, "
			"and each machine tells by --root NAME=DIR where it has it.\n\n"
			"\timgsearch root mv /mnt/disk/photos /media/me/disk/photos",
	.options = options,
	.groups = GROUP_DB,
	.args_size = sizeof(root_args),
	.run = run,
	.min_operands = 2,
	.max_operands = 2,
};
