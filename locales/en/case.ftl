# Cases: what waits for a person, and the choices there are.

case-mass_deletion = { $system }: { $count } of { $total } records of { $stream } are no longer in the source
    .help = Confirm that they are gone, or keep them until the next read.
case-empty_scan = { $system }: { $stream } came back empty where there were { $total } records
    .help = Confirm that they are gone, or keep them until the next read.
