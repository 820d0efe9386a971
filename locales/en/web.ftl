# Texts of the pages. Figures come in as they are shown (2,139).

# Around every page
web-skip = Skip to content
web-navigation = Main
web-overview = Overview
web-customers = Customers
web-runs = Runs
web-cases = Cases
web-audit = Audit
web-settings = Settings
web-open = open
web-pages = Pages
web-first-page = First page
web-next-page = Next page
web-any = any
web-show = Show
web-clear = Clear filters
web-next-step = Next step
web-more = +{ $n }
web-role-viewer = viewer
web-role-operator = operator
web-role-admin = administrator

# Problems
web-problem = Problem
web-not-signed-in = Please sign in.
web-role-needed = This needs the role { $role }.
    .help = Ask an administrator to do it, or to give you the role.
web-not-found = There is no such page.
    .help = The address may be mistyped, or what it led to is gone.
web-no-customer = There is no customer { $id }.
web-no-run = There is no run { $id }.
web-no-owner-rule = Nobody has added an owner rule for “{ $id }”. Rules of the configuration are changed there.
web-no-flow = There is no flow { $id }.
web-no-plan = There is no plan { $id }, or it is too old and was not kept.
web-no-delivery = There is no delivery { $id }.
web-no-case = There is no case { $id }.
web-bad-request = This request cannot be understood.
    .help = Go back and try it once more from the page itself.
web-broken = Something went wrong here.
    .help = It was noted in the log. Try again; if it stays, show the log to whoever runs Concord.
web-other-site = This request came from another site and was not carried out.
web-to-overview = To the overview
web-cannot-cancel = Run { $run } is over already.
web-cannot-resume = Run { $run } cannot be resumed: it is not the latest of its system, or another one is under way.
    .help = Begin a new one with “Sync now” on the overview.

# Signing in
web-sign-in = Sign in
web-sign-out = Sign out
web-name = Name
web-password = Password
web-sign-in-wrong = Name and password do not belong together.
web-sign-in-too-often = Too many refused attempts. Wait a quarter of an hour and try again.
web-sign-in-lost = Forgotten? Whoever runs Concord can set a new password with “concord user password”.
web-insecure = This address is not encrypted: anyone on the network can read the password. Use https, and set it as public_url.
web-set-up = Set up Concord
web-set-up-about = You are the first. Choose the name and password of the administrator.
web-set-up-button = Create and sign in
web-set-up-name = Choose a name of at most 64 characters.
web-set-up-password = Choose a password of at least { $n } characters.
web-password-hint = At least { $n } characters. A few words are easier to remember than signs.
web-link-over = This link is not whole, was used already, or has expired. Sign in, or start Concord again for a new one.

# Numbers, times
web-unknown-value = –
web-incl-xm = incl. XM
web-of = { $done } of { $total }
web-rows-per-second = { $n } rows/s
web-milliseconds = { $n } ms
web-seconds = { $s } s
web-minutes-seconds = { $m } min { $s } s
web-hours-minutes = { $h } h { $m } min
web-moment-now = just now
web-ago-minutes = { $n } min ago
web-ago-hours = { $n } h ago
web-ago-days = { $n ->
    [one] yesterday
   *[other] { $n } days ago
}
web-in-minutes = in { $n } min
web-in-hours = in { $n } h
web-in-days = { $n ->
    [one] tomorrow
   *[other] in { $n } days
}
web-every = every { $schedule }
web-clients-n = { $n ->
    [one] { $n } client
   *[other] { $n } clients
}
web-customers-n = { $n ->
    [one] { $n } customer
   *[other] { $n } customers
}
web-accounts-n = { $n ->
    [one] { $n } account
   *[other] { $n } accounts
}
web-lots-n = { $n } lots
web-runs-n = { $n ->
    [one] { $n } run
   *[other] { $n } runs
}
web-entries-n = { $n ->
    [one] { $n } entry
   *[other] { $n } entries
}

# How a system is
health-healthy = healthy
health-running = running
health-late = late
health-incomplete = incomplete
health-needs_you = needs you
health-paused = paused
web-all-agree = Every system is read on time, and every row is accounted for.
web-under-way = Systems are being read.
web-systems-need = { $n ->
    [one] One system does not agree or waits for you.
   *[other] { $n } systems do not agree or wait for you.
}
web-equal = equal
web-differs = differs
web-parity = Held against the source
web-parity-hint = Reads this customer from { $system } now and shows both sides. Nothing is written.
web-parity-read = read
web-parity-source = Source
web-parity-mirror = Mirror
web-parity-money = Money ({ $currency })
web-parity-points = Points
web-parity-city = City
web-parity-cause = { $rule }: { $n }, { $amount }
web-check-now = Check now
web-figure = Figure
web-adds-up = adds up
web-does-not-add-up = does not add up
web-not-all-read = not all read yet

# Overview
web-systems = Systems
web-systems-hint = source = stored − absent + duplicate + excluded + rejected
web-system = System
web-list = List
web-source = Source
web-stored = Stored
web-unexplained = Unexplained
web-absent = Absent
web-absent-hint = absent: missing from the last answer, which does not mean that it is gone; kept
web-difference = Difference
web-sum-source = Sum, source
web-sum-stored = Sum, stored
web-last-run = Last run
web-last-runs = Last runs, oldest first
web-next-run = next
web-running-now = Running
web-progress = Progress
web-schedule = Schedule
web-never-read = Never read
web-last-limited = The last run read the first { $n } clients only. The figures below are those of the last read of everything, if there was one.
web-nothing-read = Nothing was read yet. Press “Sync now”.
web-run-bar = Run { $id }: { $status }, { $took }
web-cases-wait = { $n ->
    [one] One case waits for your decision.
   *[other] { $n } cases wait for your decision.
}
web-sync-now = Sync now
web-sync-all = Sync all
web-full-sync = Full sync
web-full-sync-hint = Starts anew and reads everything, instead of taking up an interrupted run
web-pause = Pause
web-unpause = Unpause
web-pause-all = Pause all
web-unpause-all = Unpause all
web-no-systems = No system is configured.
web-no-systems-next = Add a [systems.…] section to concord.toml, run “concord check”, and start Concord again.
web-unmapped = Without an owner rule
web-unmapped-hint = partner accounts and campaigns that the owner map does not name; their clients belong to the owner of their system, if it has one
web-owned-by-system = { $owner }, the system’s owner
web-no-partner-account = none named
web-set-owner = Set owner
web-done-sync = Asked for. The runs are on this page as soon as they begin.
web-done-pause = Paused.
web-done-unpause = Unpaused.

# Owners
web-sync-status = Sync status (incl. XM)
web-owner = Owner
web-all-owners = All
web-clients = Clients
web-accounts = Accounts
web-accounts-stored = Accounts stored
web-accounts-source = Accounts at source
web-state = State
web-reward-usd = Reward (USD)
web-rebate-usd = Rebate (USD)

# Shops
web-shops = Shops
web-shop = Shop
web-cards-stored = Cards stored
web-cards-source = Cards at source
web-openings = Opening balances
web-purchased = Purchases
web-total = Total

# Customers
web-sync-data-now = Sync data now
web-search = Search
web-search-hint-shop = Name, phone, city, card, anything in the record
web-search-hint = Uid, account, country, anything in the record
web-search-go = Search
web-status = Status
web-country = Country
web-city = City
web-shop-sums = opening balances { $opening } + purchases { $purchased }
web-rows-per-page = Rows
web-client-uid = Client UID
web-client-account = Client account
web-partner-account = Partner account
web-traded = traded
web-not-traded = no trades
web-derived = derived
web-derived-hint = Derived from volume and reward; the word before it is the broker’s own status
web-matched-in = matched in { $field }
web-gone = gone
web-gone-long = no longer at the source; its last values are kept
web-view-accounts = One row per account
web-view-clients = One row per client
web-export = Export
web-show-sums = Count and sums
web-adding-up = Adding up …
web-nothing-found = Nobody fits.
web-nothing-found-next = Search for a part of the word, or take a filter away.
web-no-customers = No customers yet.
web-no-customers-next = They appear with the first page that is read. Press “Sync data now”.

# Customer
web-customer = Customer
web-in-system = in { $system }
web-values = Values
web-values-hint = and where each comes from
web-field = Field
web-value = Value
web-from = Comes from
web-activity = Activity
web-registered = Registered
web-last-trade = Last trade
web-lots = Lots
web-turnover = Turnover (mln USD)
web-from-source = the source’s own word, in the records below
web-from-rule = rule: { $rule }
web-from-partner = the client’s partner account, then its accounts’
web-from-activity = volume or reward above zero in any account
web-from-accounts = accounts that are not gone
web-from-sum = sum over the accounts
web-from-rebate = the client’s record
web-from-registered = the client’s record, else the first account opened
web-from-last-trade = the latest of all accounts
web-number = Number
web-kind = Type
web-currency = Currency
web-opened = Opened
web-no-accounts = No accounts.
web-records = Records
web-records-hint = What the source sent, field by field, and the run that brought it.
web-raw-field = Source’s field
web-raw = As it came
web-since = since
web-changed-in = brought by
web-first-seen-in = first seen in
web-gone-in = gone in
web-history = History
web-no-history = Nothing has changed since these records were first read.
web-before = Before
web-after = After
web-replaced-in = replaced in
web-only-gone = The values are the same; the record was gone and came back.

# Runs
web-run = Run
web-run-n = run { $id }
web-mode = Mode
web-mode-full = full
web-mode-changes = normal
web-mode-limited = { $mode }, first { $n }
web-asked-by = Asked for by
web-actor-schedule = the schedule
web-actor-sync = Concord
web-actor-cli = command line
web-actor-cli-of = { $name } (command line)
web-actor-nobody = somebody unknown
web-began = Began
web-ended = Ended
web-took = Took
web-limit = First clients only
web-days = Days back
web-read = Read
web-changed = Changed
web-left-out = Left out
web-note = Note
web-no-runs = No runs yet.
web-no-runs-next = Press “Sync now” on the overview, or give the systems a schedule.
web-reading = Reading { $stream }
web-waiting = Waiting for its turn
web-finishing = Bringing customers up to date
web-cancel = Cancel
web-cancelling = stopping at the next page
web-resume = Resume
web-sync-again = Sync again
web-done-cancel = Asked to stop.
web-done-resume = Resumed where it stopped.
web-stage-waiting = waiting
web-stage-running = reading
web-stage-succeeded = adds up
web-stage-incomplete = incomplete
web-stage-failed = failed
web-no-stages = Nothing was read yet.
web-stages = Lists
web-stages-hint = unexplained = source − (read − duplicate) − not read
web-passes = { $n } passes
web-not-read = Not read
web-control-sums = Control sums
web-control-sums-hint = difference = read + left out − source
web-sum-read = Read and stored
web-measure = Sum of
measure-volume_lots = lots
measure-volume_mln_usd = turnover (mln USD)
measure-reward_usd = reward (USD)
measure-rebate_usd = rebate (USD)
web-reasons = Left out, and why
web-disposition = What became of it
web-rule = Rule
web-rows = Rows
web-sums = Sums
duplicate-same_page = twice on one page
duplicate-other_page = on another page as well
duplicate-other_page_changed = on another page with other values
web-mishaps = Calls that failed
web-mishaps-hint = they were tried again
web-time = Time (UTC)
web-request = Request
web-attempt = Attempt
web-what-happened = What happened
web-waited = Waited
web-rows-shown = { $count } of { $total } rows
web-rows-first = The first ones are shown.
web-rows-kept = Up to 1,000 rows are kept per rule; the counts are always exact.
web-no-rows = No rows are kept for this.
web-no-rows-next = A record that changed again since then is listed with the later run.
web-key = Key

# Cases
web-case = Case
web-case-open = open
web-case-decided = decided
web-case-settled = settled
web-cases-open = Open ({ $n })
web-cases-all = All ({ $n })
web-about = About
web-opened-at = Since
web-decision = Decision
web-decide = What shall be done?
web-decide-button = Decide
web-decide-role = An operator or administrator can decide this.
web-done-decided = Decided and carried out.
web-settled-long = What it was about has gone away by itself.
web-choice-counts = Nothing changes: the rows count as they do already, and this type is not asked about again.
web-choice-keep = Nothing is marked. If the records are still missing at the next complete read, it is asked again.
web-choice-mark_gone = They leave lists and sums; their last values stay and come back if the source sends them again.
web-no-cases = Nothing waits for you.
web-no-cases-ever = There has never been a case.
web-no-cases-next = A case opens when Concord must not decide by itself, such as a mass deletion.

# Audit
web-audit-hint = every change, sealed in a chain
web-entry = Entry
web-who = Who
web-what = What
web-before-after = Before → after
web-sealed = Sealed
web-not-yet = not yet
web-no-entries = No such entries.
web-audit-login = Signing in
web-audit-run = Runs
web-audit-page = Pages stored
web-audit-records = Records gone
web-audit-case = Cases
web-audit-owner_rule = Owner rules
web-audit-system = Pausing
audit-login = signed in
audit-login-link = signed in by a one-time link
audit-login-refused = sign-in refused
audit-logout = signed out
audit-user-set_up = first administrator created
audit-user-added = user added
audit-user-disabled = user disabled
audit-user-enabled = user enabled again
audit-user-password = password set
audit-token-created = token created
audit-token-revoked = token revoked
audit-database-restored = backup restored
audit-run-requested = run asked for
audit-run-ended = run ended
audit-run-cancelled = run cancelled
audit-run-resumed = run resumed
audit-page-stored = page stored
audit-records-gone = records marked gone
audit-case-decided = case decided
audit-owner_rule-set = owner rule set
audit-system-paused = paused
audit-system-unpaused = unpaused
audit-reason-run-source-moved = the list changed while it was read
audit-reason-run-rows-missing = rows are missing
audit-reason-run-sums-differ = sums differ from the source’s
audit-reason-run-too-many-rejected = too many rows rejected
audit-reason-run-field-lost = a field is gone
audit-reason-case-held-deletion = deletion held
audit-reason-case-empty-answer = empty answer held
audit-reason-connect = the system could not be read
audit-reason-run = see the run
audit-reason-system-paused-logins = login refused three times
audit-reason-system-paused-by-hand = by a person

# Settings
web-settings-hint = Whose client is whose. Systems, schedules and the rest are in concord.toml.
web-settings-role = An administrator can change this.
web-api-docs = What programs can ask of Concord: the API
web-owner-rule = Owner of a partner account or campaign
web-owner-incomplete = Give both the partner account and the owner.
web-preview-button = Preview
web-preview = Preview: nothing is changed yet
web-would-move = What would move
web-nothing-moves = No client would move.
web-no-rule = no rule
web-from-owner = From
web-to-owner = To
web-apply = Apply
web-leave = Leave it as it is
web-remove = Remove …
web-done-owner = Applied to all stored clients.
web-owner-map = Owner map
web-owner-map-hint = rules set here win over the file
web-where-set = Set in
web-set-here = dashboard
web-set-in-file = concord.toml
web-overruled = concord.toml, overruled here
web-no-rules = No rules. Clients belong to the owner of their system, or to nobody.

# A shop's customer
web-email = E-mail
web-born = Born
web-opening = Opening balance
web-from-person = the customer’s record
web-from-card = the card, else the customer’s record
web-from-city = { $rule }
web-from-no-city = no rule finds one
web-from-opening = sum of the documents of opening balances
web-from-purchases = purchases less returns
web-from-both = opening balance and purchases
points-rule-movements = earned less spent up to now, at least nothing
points-rule-last_record = what the latest row says is to be spent
city-rule-main_info_line_3 = the third line of the main information
city-rule-address_city = the city of the address
city-rule-address_street = the street of the address, where the city was typed
city-rule-contact_city = the city field of the address
city-rule-presentation = the address as it is shown
web-documents = Quotes and invoices
web-documents-more = { $n } older ones are not shown; the API has them.
web-made = Made
web-net = Net amount
web-written-as = Sent as
web-not-sent = not sent
web-no-documents = There are none.
web-bought = Bought
web-bought-nothing = Nothing is known to have been bought.
web-bought-more = { $n } older lines are not shown; the API has them.
web-packaging-folded = { $n ->
    [one] one line of packaging is left out here, not out of the money
   *[other] { $n } lines of packaging are left out here, not out of the money
}
web-when = When, by the shop’s clock
web-product = Product
web-quantity = Quantity
web-paid = Paid, { $currency }
web-document = Document
entry-opening_balance = opening balance
entry-purchase = purchase
entry-return = return
measure-points_in = points earned
measure-points_out = points to be spent
