/* Loads libpq. */
#include "store/postgres/libpq.h"

#include "base/library.h"

IMS_LIBRARY_NOTE("libpq.so.5", "indexes in PostgreSQL");

static libpq functions;
static bool loaded;

static void load(void)
{
	static const char *const files[] = { "libpq.so.5", NULL };
#define AT(member) (void **)&functions.member
	static const library_function wanted[] = {
		{ "PQconnectdbParams", AT(connect) },
		{ "PQfinish", AT(finish) },
		{ "PQreset", AT(reset) },
		{ "PQstatus", AT(status) },
		{ "PQerrorMessage", AT(error) },
		{ "PQsetErrorVerbosity", AT(set_verbosity) },
		{ "PQconnectionNeedsPassword", AT(needs_password) },
		{ "PQserverVersion", AT(server_version) },
		{ "PQtransactionStatus", AT(in_transaction) },
		{ "PQsetNoticeReceiver", AT(set_notice) },
		{ "PQconninfoParse", AT(parse) },
		{ "PQconninfoFree", AT(free_options) },
		{ "PQfreemem", AT(free) },
		{ "PQsendQuery", AT(send_script) },
		{ "PQsendQueryParams", AT(send) },
		{ "PQsendPrepare", AT(send_prepare) },
		{ "PQsendQueryPrepared", AT(send_prepared) },
		{ "PQgetResult", AT(result) },
		{ "PQsetSingleRowMode", AT(single_rows) },
		{ "PQenterPipelineMode", AT(enter_pipeline) },
		{ "PQexitPipelineMode", AT(exit_pipeline) },
		{ "PQpipelineSync", AT(sync) },
		{ "PQsocket", AT(socket) },
		{ "PQconsumeInput", AT(consume) },
		{ "PQisBusy", AT(is_busy) },
		{ "PQbackendPID", AT(server_pid) },
		{ "PQgetCancel", AT(get_cancel) },
		{ "PQcancel", AT(cancel) },
		{ "PQfreeCancel", AT(free_cancel) },
		{ "PQputCopyData", AT(put_copy) },
		{ "PQputCopyEnd", AT(end_copy) },
		{ "PQgetCopyData", AT(get_copy) },
		{ "PQresultStatus", AT(result_status) },
		{ "PQresultErrorField", AT(result_field) },
		{ "PQntuples", AT(rows) },
		{ "PQgetisnull", AT(is_null) },
		{ "PQgetvalue", AT(value) },
		{ "PQgetlength", AT(length) },
		{ "PQcmdTuples", AT(affected) },
		{ "PQclear", AT(clear) },
	};
#undef AT
	loaded = ims_library_load(files, wanted, sizeof wanted / sizeof *wanted);
}

const libpq *ims_libpq(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, load);
	return loaded ? &functions : NULL;
}
