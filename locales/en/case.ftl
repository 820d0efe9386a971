# Cases: what waits for a person, and the choices there are.

case-held-deletion = { $system }/{ $stream }: { $missing } of { $stored } records did not come in a complete read. Nothing was marked gone.
    .help = Mark them gone if they really left the source, or keep them; the next complete read asks again if they are still missing.
case-empty-answer = { $system }/{ $stream } came back empty where { $stored } records are stored. Nothing was marked gone.
    .help = Most likely the source had a fault: keep. Mark them gone only if the list is really empty now.
case-uid-collision = { $system }: more than one client answers to { $name }: { $clients }. The accounts of { $name } are with none of them.
    .help = Choose the client the accounts belong to.
case-new-document = { $system }/{ $stream }: documents of the type { $type } came for the first time: { $count ->
    [one] { $count } row
   *[other] { $count } rows
}, { $amount } in all. They count like all others.
    .help = Ask whoever looks after the base what these documents are. If they are no purchases, the total of a customer is wrong until they are taken out of the register of sales there.
case-choice-counts = they count
case-choice-keep = keep them
case-choice-mark_gone = mark them gone
case-unknown = There is no case { $case }.
case-not-open = Case { $case } is not open any more.
case-choice-unknown = Case { $case } can be decided with: { $choices }.
case-newer-run = Case { $case } is about a run that is not the latest any more, or a run is under way. Read the system again; if the records are still missing, the case is brought up to date.
case-unknown-system = The system or list that case { $case } is about is not configured any more.
