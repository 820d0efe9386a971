# What can go wrong when a system is read. $system is its name in concord.toml, $path the path below
# its base address, $status the HTTP status, $attempts how often it was tried. $reason is empty, or a
# colon and the system's own words, shortened and masked.

# Settings
connect-url-invalid = The base_url of [systems.{ $system }] is not an address. Write https://host or https://host/path, without ? or #.
connect-url-plaintext = The base_url of [systems.{ $system }] is plain http, which anyone on the way can read. Use https, or set allow_plaintext = true if the network is your own.
connect-url-credentials = The base_url of [systems.{ $system }] holds a user name or password. Take them out and use the settings meant for them.
connect-address-refused = { $host }, the host of { $system }, is in a private or reserved network. If that is meant, name the network in allow_networks of [systems.{ $system }].
connect-client-unavailable = No secure connections can be made for { $system }: the certificates of this machine could not be loaded. Install its CA certificates (package ca-certificates).
connect-request-invalid = The address of { $path } at { $system } is not valid. Check base_url of [systems.{ $system }].

# Signing in
connect-login-refused = { $system } refused the login{ $reason }. Check login and password of [systems.{ $system }]; Concord does not try again by itself at once, so that the account is not locked.
connect-login-without-token = { $system } accepted the login but gave no token ({ $path }). Its API may have changed, or base_url points elsewhere.
connect-token-invalid = The token of [systems.{ $system }] holds characters that no token has. Copy it again from the partner portal.
connect-token-refused = { $system } answered { $status } to { $path }: it does not accept this sign-in{ $reason }. Check the token, or login and password, of [systems.{ $system }] and what the account may read.
connect-login-unlicensed = { $system } lets nobody in by this road: the module MobileApp is not licensed there{ $reason }. Have it licensed; until then nothing can be read from { $system } or written to it.
connect-login-locked = { $system } counts too many logins, or has locked the account of [systems.{ $system }]{ $reason }. Leave it alone for 15 to 30 minutes, and check username and password meanwhile: trying again at once prolongs it. Concord does not try for 15 minutes.
connect-token-expired = The token of { $system } had expired at { $path }; a new one was taken.

# Not now
connect-tried = { $attempts ->
    [one] Tried once
   *[other] Tried { $attempts } times
}
connect-unreachable = { $system } cannot be reached at { $host } ({ $path }): { $cause }. { connect-tried }. Check base_url of [systems.{ $system }] and the network; what is stored stays, and the next run tries again.
connect-timeout = { $system } did not answer { $path } in time. { connect-tried }. If it is always slow, raise timeout of [systems.{ $system }].
connect-too-slow = { $system } sends its answer to { $path } too slowly. { connect-tried }. Try later, or lower page_size of [systems.{ $system }].
connect-broken-body = The answer of { $system } to { $path } broke off. { connect-tried }. What is stored stays, and the next run tries again.
connect-broken-json = The answer of { $system } to { $path } is not whole JSON. { connect-tried }; nothing of it was stored.
connect-empty = { $system } answered { $path } with nothing. { connect-tried }; nothing was taken as an empty list.
connect-web-page = { $system } answered { $path } with a web page, status { $status }, as a firewall does. { connect-tried }. If it stays, ask whether this machine's address is blocked.
connect-server-error = { $system } answered { $status } to { $path }{ $reason }. { connect-tried }. The fault is there; what is stored stays, and the next run tries again.
connect-too-many-requests = { $system } says that it is asked too often ({ $path }){ $reason }. { connect-tried }. Lower rate or concurrency of [systems.{ $system }] if this goes on.

# What became of something that was written
connect-write-later = { $system } takes nothing now ({ $path }, status { $status }){ $reason }. Nothing was written; it is sent later by itself.
connect-write-refused = { $system } refused what was sent to { $path } (status { $status }){ $reason }. Nothing was written. Mend what it names at the source, then try again.
connect-write-no-name = { $system } takes no contact without a name ({ $path }). Nothing was sent. Give it a name at the source.
connect-write-no-row = What was read from { $system } a moment ago is not a row that can be written back ({ $path }). Nothing was sent. Read it again.
connect-write-kind = { $system } cannot make a person of an organization, nor the other way round ({ $path }). Nothing was sent. Create it anew there, and link it.
connect-write-unanswered = { $system } took what was sent to { $path } and gave no whole answer. It may have been written: before anything is sent again, it is looked for there.
connect-write-broke = { $system } failed at what was sent to { $path } (status { $status }){ $reason }. It may have been written: before anything is sent again, it is looked for there.
connect-write-unread = { $system } answered { $path } with status { $status } and nothing that says what became of it. It may have been written: before anything is sent again, it is looked for there.

# Refused, or not what we know
connect-cannot-write = Nothing can be written to { $system }: systems of its kind are only read.
connect-rejected = { $system } refused { $path } with status { $status }{ $reason }. Check base_url of [systems.{ $system }] and what the account may read.
connect-redirect = { $system } points from { $path } to another address (status { $status }), which is never followed. Set base_url of [systems.{ $system }] to the address itself.
connect-other-shape = The answer of { $system } to { $path } has no { $missing }. { connect-tried }. Its API may have changed; nothing was stored.
connect-encoding = The answer of { $system } to { $path } is not plain UTF-8. { connect-tried }; nothing was stored.
connect-too-large = The answer of { $system } to { $path } is larger than { $limit } MiB. { connect-tried }. Lower page_size of [systems.{ $system }].
connect-cursor-unreadable = The place where reading { $stream } stopped cannot be understood. Start anew with --full.

# Why a row was rejected; the row itself is kept in the run's list
reason-not_an_object = The row is not an object.
reason-no_key = The row has no key.
reason-no_details = The source lists it, and says nothing more of it.
reason-bad_uid = The client's uid is not a UUID.
reason-no_amount = The row has no amount.
reason-bad_date = A date is not of the form YYYY-MM-DD, or not of the calendar.
reason-amount_not_exact = An amount is not a number that can be kept exactly.
reason-amount_too_large = An amount is larger than any real one.
