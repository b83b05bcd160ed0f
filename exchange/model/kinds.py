"""Every kind of act there is, by its name on the ledger; a new module of acts is listed here."""

from typing import Final

from exchange.model import acts, dutyacts, evidenceacts, lawacts, lifeacts
from exchange.model.actcodec import Body

KINDS: Final[dict[str, type[Body]]] = {
    body.kind: body
    for body in (
        acts.Genesis,
        acts.EnrolMember,
        acts.SuspendMember,
        acts.RegisterInstance,
        acts.RetireInstance,
        acts.ProposeDataset,
        acts.PublishDataset,
        acts.WithdrawDataset,
        acts.DatasetKey,
        acts.OpenStream,
        acts.ReportProgress,
        acts.DeclareGap,
        acts.ReportFork,
        acts.Apply,
        acts.AnswerRequest,
        acts.WithdrawRequest,
        acts.RevokeGrant,
        acts.AskKeys,
        acts.FileReceipt,
        dutyacts.NewDemand,
        dutyacts.AnswerDemand,
        dutyacts.NewObjection,
        dutyacts.AnswerObjection,
        dutyacts.Escalate,
        dutyacts.DecideEscalation,
        dutyacts.NewNotice,
        dutyacts.SettleNotice,
        dutyacts.ConfirmDeletion,
        dutyacts.NotifyPersons,
        dutyacts.ExtendDuty,
        dutyacts.ConsentExtension,
        dutyacts.AdoptCalendar,
        evidenceacts.AuditQuery,
        lawacts.AdoptRules,
        lawacts.AssignRole,
        lawacts.EndRole,
        lawacts.PurgeRecords,
        lifeacts.ReviewDataset,
        lifeacts.ConsentOnward,
        lifeacts.DeclareCollection,
        lifeacts.RegisterPurpose,
        lifeacts.CompleteRequest,
        lifeacts.RenewGrant,
    )
}
"""Every kind of act, by its name on the ledger."""
