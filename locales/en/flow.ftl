# Flows between systems: imports, links, deliveries, and what a person must decide about them.

flow-no-import = Flow { $flow } carries documents from the master on, and never back: there is nothing to import. Let it write with `concord flow start { $flow }`.
flow-system-off = A system of flow { $flow } is switched off. Set enabled = true in its section.
flow-system-paused = { $system } is paused, so flow { $flow } cannot read it. Let it be read again with `concord unpause { $system }`.
flow-paused-meanwhile = Flow { $flow }, or the system it writes to, was paused: the rest waits. Unpause it and import again.
flow-is-paused = Flow { $flow } is paused. Unpause it first.
flow-never-read = { $system } was never read whole, so nothing can be said of flow { $flow } yet. Read it first.
flow-not-read = { $system } could not be read whole in run { $run }, so flow { $flow } was not begun: who is missing in an incomplete list would be created twice. See `concord runs show { $run }`.

push-record-gone = { $from } has { $record } no more, or it is left out there: nothing is written to { $to }.
push-linked-already = { $record } of { $from } is linked already.
push-linked = { $record } of { $from } was found in { $to } as { $key }, and linked instead.
push-nothing-to-do = { $to } says the same as { $from } about { $record } already.
push-asked = What differs about { $record } is asked about; nothing was written to { $to }.
push-not-there = { $record } of { $from } was sent to { $to } and is not there.
push-moved = { $record } of { $from }, or what it is linked with in { $to }, was changed after the plan was made: it was left out.
push-waits-for-customer = { $record } of { $from } waits until its customer { $customer } is there: flow { $after } carries it over first.
push-of-quote = { $record } of { $from } came from a quote that is sent itself: nothing is written to { $to }.
push-not-due = { $record } of { $from } is not to be sent any more.
push-no-year = { $to } does not say its fiscal year when one signs in, and no pre-invoice can be written without it.
plan-not-read = { $system } could not be read whole in run { $run }: nothing was planned of flow { $flow }.
    .help = See what happened to the run, then plan again.
plan-is-reading = Plan { $plan } is not made yet: both sides are being read.
plan-is-failed = Plan { $plan } could not be made: there is nothing to apply. Plan again.
plan-says-nothing = Plan { $plan } says nothing of { $record } that could be applied.
plan-overtaken = Nothing of it was applied: all { $count } records have been changed since plan { $plan } was made. Plan again.
plan-new = not there yet
plan-found = found there, not linked yet
plan-differs = differs
plan-overrides = edited there only; the master is right
plan-agrees = agrees
plan-both-moved = edited on both sides
plan-ambiguous = may be more than one there
plan-number-clash = another customer has its number there
plan-linked-otherwise = the one found there is linked with another record
plan-target-gone = the one it is linked with is gone there
plan-send = { $number ->
    [none] without number
   *[other] number { $number }
}, net amount { $net }: would be sent
plan-customer-first = { $number ->
    [none] without number
   *[other] number { $number }
}, net amount { $net }: would be sent after its customer, who is not there yet
plan-no-party = number { $number }, net amount { $net }: its customer has no accounting party there
plan-unknown-state = number { $number }, net amount { $net }: nobody has said what its state { $state } means
plan-not-representable = number { $number }, net amount { $net }: cannot be sent as it is ({ $what ->
    [no-total] no net amount
    [no-lines] no lines
    [line] a line without product, quantity or price
    [toll] a toll
    [costs] additional costs
    [discount] a discount that no line has
    [customer] no customer
    [sale-model] no sale model
   *[other] its lines come to { $predicted }
})
plan-changed-after-send = number { $number }: changed after it was sent; nothing is sent again
plan-uncertain = number { $number }: sent, and nobody has said yet whether it is there
plan-under-way = number { $number }: is being sent
plan-excluded = number { $number }: left out by a person
plan-before-start = number { $number }: older than the flow
plan-of-quote = number { $number }: its quote is sent instead
push-waits = { $to } asked to be left alone for a while: { $record } of { $from } waits.

case-ambiguous-match = Flow { $flow }: { $record } of { $from } may be { $keys } in { $to }, found by { $rule }. Nothing was written or linked.
    .help = Choose the one that is the same customer, `create` if it is none of them, or `exclude` to leave it out.
case-number-clash = Flow { $flow }: { $record } of { $from } has the customer number of { $key } in { $to }, but they differ in { $fields }. Both systems make numbers of their own; nothing was written or linked.
    .help = Choose { $key } if they are the same customer all the same; otherwise mend the number in one of the systems, and `exclude` until then.
case-uncertain-delivery = Flow { $flow }: whether { $record } of { $from } was written to { $to } cannot be told from here{ $key ->
    [none] { "" }
   *[other] : { $key } is there, but is neither what was sent nor what was there before
}.
    .help = Look in { $to }. Choose `applied` if it was written, `not_applied` to have it sent again.
case-duplicate = Flow { $flow }: { $record } of { $from } is in { $to } more than once: { $keys }. Nothing more is written to it.
    .help = Merge or delete all but one in { $to }, then choose `resolved`.
case-changed-code = Flow { $flow }: an update of { $sent } in { $to } came back as { $key }: { $to } has made a second record of { $record }. Nothing more is written to it.
    .help = Delete { $key } in { $to }, then choose `resolved`.
case-not-as-sent = Flow { $flow }: { $to } said that { $record } of { $from } was written as { $key }, but that never had what was sent.
    .help = Look at { $key } in { $to }: a field may be cut or refused there. Then choose `resolved`.
case-target-gone = Flow { $flow }: { $key } of { $to }, which { $record } of { $from } is linked with, is not there any more. Nothing was written.
    .help = Restore it in { $to }, or take the link away; then choose `resolved`.
case-conflict = Flow { $flow }: { $record } was changed in { $from } and in { $to }: { $fields }. Nothing of these was written.
    .help = `source`: the master is right, and is carried over. `leave` leaves both as they are.
case-unknown-state = Flow { $flow }: { $record } of { $from } (number { $number }) has the state { $state }, and nobody has said what that means. Nothing was sent.
    .help = If documents in this state are to be sent, add it to `states` of the flow; once the document is in another state, it goes on by itself. `exclude` leaves it out for good.
case-not-representable = Flow { $flow }: { $record } of { $from } (number { $number }) cannot be written to { $to } as it is: { $what ->
    [no-total] it does not say what it comes to
    [no-lines] it has no lines
    [line] one of its lines has no product, no quantity or no price that can be read
    [toll] it has a toll, for which there is no column
    [costs] it has additional costs, for which there is no column
    [discount] it has a discount that no line has
    [customer] it names no customer
    [sale-model] no sale model follows from its subtype { $subtype }
   *[other] its lines come to { $predicted }, and it says { $net }
}. Nothing was sent.
    .help = Put it right in { $from }: it is looked at again by itself. A subtype gets its sale model in `sale_models` of the flow. `exclude` leaves it out for good.
case-no-party = Flow { $flow }: the customer of { $record } of { $from } (number { $number }) is { $key } in { $to }, and has no accounting party there. Nothing was sent.
    .help = Open an account for { $key } in { $to }: the document goes on by itself once { $to } was read again. `exclude` leaves it out for good.
case-uncertain-document = Flow { $flow }: whether { $record } of { $from } (number { $number }) was written to { $to } cannot be told from here, and it is never sent again by itself.
    .help = Look in { $to } for a pre-invoice of { $net }. If it is there: `concord deliveries resolve { $delivery } --applied --ref NUMBER`. If not, choose `not_applied`: it is sent again.
case-net-amount = Flow { $flow }: { $record } of { $from } (number { $number }) comes to { $net }, but { $to } has written { $document } with { $answered ->
    [none] a net amount that its answer does not tell
   *[other] { $answered }
}.
    .help = Put it right in { $to }, or see that the difference is as it should be; then choose `seen`. Nothing is sent again.
case-changed-after-send = Flow { $flow }: { $record } of { $from } (number { $number }) was changed after it was sent to { $to }: it comes to { $net } now. Nothing is sent again.
    .help = Change the pre-invoice in { $to } by hand if it is to follow, then choose `seen`.
case-linked-otherwise = That cannot be done any more: one of the two is linked with another record, or a newer delivery waits.
case-choice-create = create a new one
case-choice-exclude = leave it out
case-choice-resolved = it has been put right
case-choice-applied = it was written
case-choice-not_applied = it was not written: send it again
case-choice-source = the master is right
case-choice-leave = leave both as they are, until the master says something else
case-choice-seen = it has been seen to
case-needs-ref = Say what was written: `concord deliveries resolve ID --applied --ref KEY`; `concord deliveries` has the ID.

cli-plan-not-read = Both systems of flow { $flow } have to be read whole first, and were not. Nothing was planned.
cli-plan-empty = { $flow }: both sides agree.
cli-plan-unreadable = { $file } is not a plan that `concord plan --out` wrote.
cli-apply-confirm = Carry { $count } changes over to { $system }?
apply-written = written
apply-unchanged = in agreement already, or linked
apply-left-out = changed meanwhile, left out
apply-cases = questions
apply-errors = errors
apply-open = outcome not known yet
import-created = created
import-linked = linked
import-already-linked = linked before
import-excluded = excluded
import-cases = questions
import-errors = errors
import-rehearsed = This is what an import of { $flow } would do. Nothing was written.
import-closed-rest = { $count } rows came since the import was closed; nothing is written into the master any more. `concord flow reopen { $flow }` opens it again.
import-is-closed = The import of { $flow } is closed: every row has its answer. The flow is live.
import-is-open = The import of { $flow } is not closed yet. See `concord cases` and `concord deliveries`, then import again.
cli-import-confirm = Create { $created } and link { $linked } customers in { $system }?
cli-import-not-read = Both systems of flow { $flow } have to be read whole first, and were not. Nothing was imported.

delivery-unknown = There is no delivery { $delivery }.
delivery-needs-ref = Delivery { $delivery } made something new: say what with --ref KEY.
delivery-say-which = Nobody can tell whether delivery { $delivery } was written, so it is not simply sent again. Look there, then: `concord deliveries resolve { $delivery } --applied --ref NUMBER`, or `--not-applied`; the choices of its case are the same.
delivery-not-still = Delivery { $delivery } does not wait for a person, or a newer one of the same record does.
cli-delivery-applied = Delivery { $delivery } counts as done.
cli-delivery-retried = Delivery { $delivery } is sent again.
cli-no-deliveries = There are no deliveries.
cli-unknown-state = not a state of deliveries; these are: { $states }
cli-no-links = There are no links.
cli-links-taken = { $linked } links made, { $already } there before, { $refused } refused{ $lines ->
    [none] { "" }
   *[other] { "" } (one of the two is linked otherwise): lines { $lines }
}.
cli-links-bad-line = { $file }, line { $line }: the file must have the columns flow,source_key,destination_key, each filled.
cli-unknown-flow = There is no flow { $flow }. Known: { $known }.
cli-flow-is-paused = Flow { $flow } is paused. Let it write again with `concord unpause { $flow }`.
cli-import-not-closed = The import of { $flow } is not closed: `concord import { $flow }` goes on with it.
cli-import-reopen-confirm = Let the import of { $flow } write into the master again?
cli-import-reopened = The import of { $flow } is open again: `concord import { $flow }` writes until every row has its answer.
cli-flow-is-live = Flow { $flow } is live.
cli-number = No.
cli-flow = flow
cli-record = record
cli-written-to = written to
cli-state = state
cli-attempts = attempts
cli-source-key = master's key
cli-destination-key = key that follows
cli-rule = found by

webhook-refused = The token or the signature of this webhook is not known here.
webhook-no-id = The webhook names nothing: it has no id.
webhook-full = More webhooks came than can be looked at now. They may be sent again later; what changed is found by polling too.

verify-flow-paused = one of its systems is paused, and was not read
measure-carried = carried by the flow · tied
measure-in-agreement = tied · in agreement
measure-links = links · with both records
measure-followers = there · tied
measure-different-in-source = in the master · different
measure-different-in-destination = there · different
cause-without_partner = without a partner
cause-source_gone = gone in the master
cause-target_gone = gone there
cause-only_there = only there
cause-excluded_by_a_person = left out by a person
cause-several_customer_number = one customer number, several records
cause-several_national_id = one national id, several records
cause-several_mobile = one mobile number, several records
cause-several_telephone = one telephone number, several records
cause-several_email = one e-mail address, several records
cause-differs_number = number differs
cause-differs_kind = kind differs
cause-differs_name = name differs
cause-differs_national_id = national id differs
cause-differs_mobile = mobile differs
cause-differs_telephone = telephone differs
cause-differs_email = e-mail differs
cause-differs_website = web site differs
cause-differs_address = address differs
cause-differs_city = city differs
cause-differs_province = province differs
cause-differs_country = country differs
cause-differs_postal_code = postal code differs
cause-differs_gender = gender differs
cause-differs_notes = notes differs
cause-differs_active = active differs

case-ping-pong = Flow { $flow }: { $fields } of { $record } was overwritten in { $to } three times within a day, and is there again otherwise. It is not overwritten any more.
    .help = Somebody, or another program, works against this flow. Choose `source` if { $from } is right, `destination` to take over into { $from } what { $to } has, or `leave`.
case-restore-moved = Flow { $flow }: { $fields } of { $key } in { $to } was to be put back, and has been changed since. Nothing was written.
    .help = Choose `restore` to put it back all the same, or `leave`.
undo-not-an-update = Delivery { $delivery } cannot be undone: only an update that was written can. What was created is there, and is taken away there.
undo-something-waits = Something else waits to be written to the same record: let that end first.
overridden-unknown = There is no overridden edit { $delivery }.
overridden-accepted = Overridden edit { $delivery } has been taken over already.
cli-undo-asked = Delivery { $delivery } is being undone. The master still says what was written: correct it there, or its next change carries it over again.
cli-accept-asked = Edit { $delivery } is being taken over into the master.
cli-no-overridden = Nothing was overridden.
cli-field = field
cli-agreed = agreed
cli-theirs = was there
cli-became = became
cli-accepted = taken over
measure-due = to be sent · sent
measure-net-of-documents = net of what was sent · answered
cause-not_sent_yet = not sent yet
cause-asked_about = asked about
cause-net_differs = documents whose net differs
