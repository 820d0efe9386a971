# Texts of the pages of flows: flows, plans, links, deliveries, and a customer that two systems know.

web-flow = Flow
web-flows = Flows
web-flows-hint = What keeps two systems in agreement
web-no-flows = No flow is configured.
web-no-flows-next = Add a [flows.…] section to concord.toml; docs/flows.md tells how to go live.
web-flow-new = new
web-flow-live = live
web-flow-paused = paused
web-flow-new-does = It only plans. Once it is started, what changes in { $from } from then on is written to { $to } after each read; nothing older is sent.
web-flow-live-does = What changes in { $from } is written to { $to } after each read of { $from }, by webhook or schedule.
web-flow-paused-does = Nothing is written to { $to }. What changes in { $from } is still noticed, and waits.
web-flow-side-paused = { $system } is paused: nothing is read from it or written to it until somebody unpauses it.
web-flow-start = Start
web-flow-open = Under way
web-flow-stuck = Wait for you
web-flow-cases = Open cases
web-flow-live-since = Live since
web-flow-reconcile = Compared whole, daily at { $time }
web-flow-plan = Newest plan
web-flow-role = An operator or administrator can do this.
web-pause-all-flows-hint = Stops every write of every flow at once
web-done-start = Started. It writes by itself from now on.

# Import
web-import = Import
web-import-look = Import …
web-importing = Importing now
web-import-about = Who is in { $from } and not in { $to } is created there, once; who is found there is linked; who may be more than one is asked about. Nothing is written to { $from }.
web-import-would = What it would do, by what was read last
web-import-nothing = There is nothing left to do.
web-import-now = Import into { $to } now
web-import-closed = closed
web-import-is-closed = The import is closed: every row has its answer. What comes now is for plans.
web-import-again = Import again
web-last-import = Last import
stage-match = Who is there already
stage-write = Creating who is not

# Plan
web-plan = Plan
web-plan-now = Plan
web-plan-hint = Reads both sides and shows what would be written; nothing is
web-plan-reading = being made
web-plan-ready = ready
web-plan-failed = not made
web-plan-is-read = Both sides are being read. The plan is shown here when that is done.
web-plan-empty = Both sides agree: there is nothing to do.
web-plan-create = New there
web-plan-create-about = not in { $to } yet; created with these values
web-plan-update = Differ
web-plan-update-about = what { $to } has is replaced, field by field
web-plan-link = Found there
web-plan-link-about = the same customer is in { $to } without a link; it is linked, not created
web-plan-case = Need you
web-plan-case-about = nothing is written of these; once they are tried, a case asks
web-plan-agreed = Agreed last
web-plan-becomes = Becomes
web-plan-found = Found
web-plan-emptied = emptied
web-plan-open = { $n ->
    [one] One change that nobody has asked for yet
   *[other] { $n } changes that nobody has asked for yet
}
web-plan-apply-ticked = Apply the ticked
web-plan-apply-all = { $n ->
    [one] Apply it
   *[other] Apply all { $n }
}
web-plan-all-applied = { $n ->
    [one] The change was asked for. What became of it stands beside it.
   *[other] All { $n } changes were asked for. What became of each stands beside it.
}
web-plan-paused = The flow is paused: unpause it to apply this.
web-plan-nothing-ticked = Nothing is ticked.
    .help = Go back and tick what is to be done, or apply all.
web-plan-left-out = left out
web-plan-left-out-why = changed since the plan was made
web-plan-more = More of these
web-done-applied = Asked for. What becomes of each change is shown beside it.
web-done-applied-some = Asked for, but for what has changed since the plan was made: that was left out.

# Links
web-links = Links
web-links-hint = Which records of two systems are the same customer
web-links-search-hint = Name, number, phone or key, of either side
web-links-n = { $n ->
    [one] { $n } link
   *[other] { $n } links
}
web-no-links = There are no links yet.
web-no-links-next = An import makes them, or “concord links import” takes over those of an earlier engine.
web-no-links-found = No link fits.
web-link-source = Master
web-link-destination = Follows
web-link-linked = linked
web-link-agreed = agrees
web-link-verified = verified
web-link-gone = gone in the master
web-link-none = not linked
web-found-by = Found by
web-agreed-at = Agreed last
web-verified-at = Seen equal
link-rule-customer_number = customer number
link-rule-national_id = national id
link-rule-mobile = mobile number
link-rule-telephone = telephone number
link-rule-email = e-mail address
link-rule-created = created by the flow
link-rule-file = taken over from a file
link-rule-decided = decided by a person

# Deliveries
web-delivery = Delivery
web-deliveries = Deliveries
web-deliveries-hint = Every write to another system, and what became of it
web-deliveries-n = { $n ->
    [one] { $n } delivery
   *[other] { $n } deliveries
}
web-deliveries-stuck = Wait for you ({ $n })
web-deliveries-open = Under way ({ $n })
web-no-deliveries = Nothing has been written yet.
web-no-deliveries-next = Deliveries come from an import, from a plan that is applied, and from a flow that is live.
web-no-deliveries-stuck = No delivery waits for you.
web-no-deliveries-such = There are no such deliveries.
web-number-of = No.
web-record = Record
web-why = What became of it
web-reason = Why
web-sent-times = Sent
web-next-time = Next
web-asked-at = Asked for
web-sent-at = Sent last
web-written-to = Written to
web-written-new = a new one in { $system }
web-delivery-case = Case { $id } waits for your decision
web-delivery-newer = Delivery { $id } of the same record is newer.
web-delivery-retry = Send it again
web-delivery-retry-sent = It was not done, or what kept it from being done has been put right: the other side is read again, and what still differs is sent.
web-delivery-retry-unsent = What kept it from being sent has been put right: the other side is read again, and what still differs is sent.
web-delivery-by-import = It goes out with the next import.
web-delivery-applied = It was done
web-delivery-applied-about = You have looked, and what was sent is there: it counts as done, and nothing more is sent.
web-delivery-ref = Its key there
web-delivery-changes = What it would change
web-delivery-changed = What it changed
web-done-retry = It is sent again.
web-done-delivery-applied = It counts as done.
web-story = What happened
delivery-state-pending = waits for its turn
delivery-state-claimed = being looked at
delivery-state-prepared = about to be sent
delivery-state-sent = sent
delivery-state-uncertain = answer lost, is looked for
delivery-state-confirmed = written
delivery-state-verified = written and seen there
delivery-state-rejected = refused
delivery-state-dead = given up
delivery-state-superseded = nothing to do
delivery-state-held = needs you
delivery-forward-create = create
delivery-forward-update = update
delivery-import-create = create in the master
delivery-import-update = update in the master
delivery-reason-import = the import
delivery-reason-edit = it was changed in the master
delivery-reason-reconcile = the nightly comparison
delivery-reason-apply = a plan was applied
delivery-reason-decided = a person decided a case
delivery-reason-undo = undone by a person

# Stories
web-actor-push = Concord
web-actor-flow = the flow
web-actor-webhook = a webhook
web-actor-import = the import
story-asked = Delivery { $id } asked for
story-case = Case { $id } opened
story-changed = { $key } had changed when run { $run } read it
web-audit-flow = Flows started
web-audit-plan = Plans
web-audit-import = Imports
web-audit-link = Links
web-audit-delivery = Deliveries
audit-flow-started = flow started
audit-plan-asked = plan asked for
audit-plan-applied = plan applied
audit-import-closed = import closed
audit-link-made = linked
audit-delivery-pending = put back
audit-delivery-prepared = about to be sent
audit-delivery-confirmed = written
audit-delivery-rejected = refused
audit-delivery-dead = given up
audit-delivery-superseded = nothing to do
audit-delivery-uncertain = answer lost
audit-delivery-not_done = looked for, not there
audit-delivery-held = stopped for a case
audit-delivery-retried = sent again by a person
audit-customer-verified = held against its source
audit-system-checked = connection tested
audit-export = list taken away
audit-reason-customer_number = found by customer number
audit-reason-national_id = found by national id
audit-reason-mobile = found by mobile number
audit-reason-telephone = found by telephone number
audit-reason-email = found by e-mail address
audit-reason-created = created by the flow
audit-reason-file = taken over from a file
audit-reason-decided = decided by a person
audit-reason-push-moved = changed after the plan was made
audit-reason-push-nothing-to-do = both sides agree already
audit-reason-push-linked = found there, and linked instead
audit-reason-push-linked-already = linked already
audit-reason-push-record-gone = gone in the system it comes from
audit-reason-push-not-there = sent, and not there
audit-reason-connect-write = the other system did not answer as it should
audit-reason-push-waits = the other system asked to wait
audit-reason-case-ambiguous-match = may be more than one
audit-reason-case-number-clash = number of another customer
audit-reason-case-uncertain-delivery = cannot be told from here
audit-reason-case-duplicate = there more than once
audit-reason-case-changed-code = a second record was made
audit-reason-case-not-as-sent = not what was sent
audit-reason-case-target-gone = gone there
audit-reason-case-conflict = changed on both sides

# Customers of CRM and finance systems
web-link = Link
web-both-sides = Both sides
web-both-agree = as they were read last: they agree
web-both-differ = { $n ->
    [one] as they were read last: one field differs
   *[other] as they were read last: { $n } fields differ
}
web-not-carried = not carried
web-not-linked-hint = not linked with another system
web-search-hint-contacts = Name, number, national id, phone, anything in the record

# What flows carry
field-number = Number
field-kind = Kind
field-name = Name
field-national_id = National id
field-mobile = Mobile
field-telephone = Telephone
field-email = E-mail
field-website = Website
field-address = Address
field-city = City
field-province = Province
field-country = Country
field-postal_code = Postal code
field-gender = Gender
field-notes = Notes
field-active = Active
contact-kind-person = person
contact-kind-organization = organization

web-overridden = Overridden edits
web-overridden-hint = What somebody had written into the system that follows, and the master has overwritten since. What was right after all can be taken over into the master.
web-overridden-n = { $n } overridden edits
web-no-overridden-yet = Nothing has been overridden yet.
web-no-overridden = There is no overridden edit { $id }.
web-overridden-agreed = Agreed before
web-overridden-theirs = Was there
web-overridden-became = Became
web-overridden-accept = Take over into the master
web-overridden-accepted = taken over by { $by }
web-delivery-undo = Undo this write
web-delivery-undo-about = The fields it changed are put back as they were, unless somebody has changed them since. The master still says what was written: correct it there, or its next change carries it over again.
web-done-undo = It is being put back.
web-done-accept = It is being taken over into the master.
delivery-reason-accept = a person takes an edit over into the master
audit-reason-case-ping-pong = overwritten again and again
audit-reason-case-restore-moved = changed since
audit-reason-push-asked = a person is asked
delivery-back-create = taken over into the master
delivery-back-update = taken over into the master
