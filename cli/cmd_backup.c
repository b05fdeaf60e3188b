/* imgsearch backup: copies the index into one file. */
#include "cli/base/json_writer.h"
#include "cli/base/message.h"
#include "cli/base/text.h"
#include "cli/context/context.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct backup_args {
	common_args common;
	uint32_t force;
} backup_args;

static const option options[] = {
	{ "force", 'f', OPT_FLAG, offsetof(backup_args, force),
		.help = "replace FILE where it exists" },
	OPT_END,
};

static void report(const context *c, const char *file)
{
	struct stat st = { 0 };
	json_writer j;
	char size[TEXT_SIZE];
	stat(file, &st);
	if (c->common->json) {
		json_write_begin(&j, stdout);
		json_write_path(&j, "path", file);
		json_write_int(&j, "bytes", (int64_t)st.st_size);
		json_write_end(&j);
	}
	context_print(c, "%s: a copy of %s (%s)", file, c->db, text_size(size, (uint64_t)st.st_size));
}

static int run(context *c, void *args)
{
	const char *file = c->operand[0];
	imgsearch_index_backup_options o = {
		.struct_size = sizeof o,
		.replace = ((const backup_args *)args)->force,
	};
	imgsearch_error err;
	if (!*file)
		return command_usage(c->command, "the name of the copy is empty");
	if (!strcmp(file, "-"))
		return command_usage(c->command,
			"the copy is a file, not standard output (a file of that name: ./-)");
	int rc = context_open(c, false);
	if (rc)
		return rc;
	if (imgsearch_index_backup(c->s, file, &o, &c->call, &err)) {
		if (err.code != IMGSEARCH_ECANCELED)
			return context_error(c, &err);
		cli_warn(access(file, F_OK) ? "interrupted; %s was not written"
									: "interrupted; %s is as it was before",
			file);
		return CLI_INTERRUPTED;
	}
	progress_clear(c->progress);
	report(c, file);
	return CLI_DONE;
}

const command cmd_backup = {
	.name = "backup",
	.operands = "FILE",
	.summary = "copy the index into one file",
	.text = "Copies the index, as it is when the copy begins, into FILE, which --db opens like any "
			"index. Other programs may search and change the index meanwhile. FILE appears when it "
			"is complete; if the copy fails or is interrupted, what was there stays. To restore "
			"it, put it in the "
			"place of the index while no program uses that, and delete the index's -wal file.\n\n"
			"\timgsearch backup /media/disk/pictures.db\n"
			"\timgsearch backup --force /media/disk/pictures.db",
	.options = options,
	.groups = GROUP_DB | GROUP_JSON,
	.args_size = sizeof(backup_args),
	.run = run,
	.min_operands = 1,
	.max_operands = 1,
};
