//! What the base publishes: its sets with their columns, and the places of the columns.

use super::value::{Field, Kind};

/// The lists of the base that hold rows; everything else it publishes is made from these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    /// `Catalog_ДисконтныеКарты`.
    Cards,
    /// `Catalog_Контрагенты`.
    Customers,
    /// The flat rows of the register of sales by card.
    Sales,
    /// The flat rows of the register of points.
    Points,
    /// `Catalog_Номенклатура`.
    Products,
}

/// The type of the documents that carry opening balances.
pub(super) const OPENING: &str = "Document_ВводНачальныхОстатков";
/// The type of receipts.
pub(super) const RECEIPT: &str = "Document_ЧекККМ";
/// The type of returns.
pub(super) const RETURN: &str = "Document_ЧекККМВозврат";
/// Another type of sale, for what was sold without a till.
pub(super) const INVOICE: &str = "Document_РасходнаяНакладная";
/// The type of documents that give points.
pub(super) const ACCRUAL: &str = "Document_НачислениеИСписаниеБонусныхБаллов";

/// The register of points, nested and as a source of balances.
pub(super) const POINTS_REGISTER: &str = "AccumulationRegister_БонусныеБаллы";
/// The register of sales, nested.
pub(super) const SALES_REGISTER: &str = "AccumulationRegister_ПродажиПоДисконтнымКартам";
/// The tabular part of customers as a set of its own.
pub(super) const CONTACTS: &str = "Catalog_Контрагенты_КонтактнаяИнформация";

/// Places of columns that cards, customers and products share.
pub(super) mod catalog {
    pub const REF: usize = 0;
    pub const VERSION: usize = 1;
    pub const DELETED: usize = 2;
    pub const DESCRIPTION: usize = 4;
}

/// Places of a card's own columns.
pub(super) mod card {
    pub const PHONE: usize = 5;
    pub const OWNER: usize = 6;
}

/// Places of a customer's own columns.
pub(super) mod customer {
    pub const FOLDER: usize = 5;
    pub const BUYER: usize = 10;
    pub const COMMENT: usize = 12;
    pub const CONTACTS: usize = 16;
}

/// Places of a product's own columns.
pub(super) mod product {
    pub const FOLDER: usize = 5;
}

/// Places of columns that sales and points share.
pub(super) mod register {
    pub const PERIOD: usize = 0;
    pub const RECORDER: usize = 1;
    pub const KIND: usize = 2;
    pub const LINE: usize = 3;
    pub const ACTIVE: usize = 4;
}

/// Places of a sale's own columns.
pub(super) mod sale {
    pub const CARD: usize = 5;
    pub const SUM: usize = 10;
}

/// Places of the own columns of a row of points.
pub(super) mod points {
    pub const TYPE: usize = 5;
    pub const CARD: usize = 6;
    pub const EARNED: usize = 7;
    pub const SPENT: usize = 8;
}

const fn field(name: &'static str, kind: Kind) -> Field {
    Field { name, kind }
}

static CARDS: [Field; 7] = [
    field("Ref_Key", Kind::Guid),
    field("DataVersion", Kind::Text),
    field("DeletionMark", Kind::Flag),
    field("Code", Kind::Text),
    field("Description", Kind::Text),
    field("КодКартыШтрихкод", Kind::Text),
    field("ВладелецКарты_Key", Kind::Guid),
];

static CUSTOMERS: [Field; 17] = [
    field("Ref_Key", Kind::Guid),
    field("DataVersion", Kind::Text),
    field("DeletionMark", Kind::Flag),
    field("Code", Kind::Text),
    field("Description", Kind::Text),
    field("IsFolder", Kind::Flag),
    field("Parent_Key", Kind::Guid),
    field("НаименованиеПолное", Kind::Text),
    field("ФИО", Kind::Text),
    field("ДатаРождения", Kind::Date),
    field("Покупатель", Kind::Flag),
    field("ИНН", Kind::Text),
    field("Комментарий", Kind::Text),
    field("НомерТелефонаДляПоиска", Kind::Text),
    field("АдресЭПДляПоиска", Kind::Text),
    field("ОсновныеСведения", Kind::Text),
    field("КонтактнаяИнформация", Kind::Rows(&CONTACT)),
];

/// A row of a customer's contact information.
pub(super) static CONTACT: [Field; 9] = [
    field("Ref_Key", Kind::Guid),
    field("LineNumber", Kind::Int),
    field("Тип", Kind::Text),
    field("Представление", Kind::Text),
    field("НомерТелефона", Kind::Text),
    field("Город", Kind::Text),
    field("АдресЭП", Kind::Text),
    field("ЗначенияПолей", Kind::Text),
    field("Значение", Kind::Text),
];

static SALES: [Field; 12] = [
    field("Period", Kind::Date),
    field("Recorder", Kind::Recorder),
    field("Recorder_Type", Kind::RecorderType),
    field("LineNumber", Kind::Int),
    field("Active", Kind::Flag),
    field("ДисконтнаяКарта_Key", Kind::Guid),
    field("ВладелецКарты_Key", Kind::Guid),
    field("Номенклатура_Key", Kind::Guid),
    field("Характеристика_Key", Kind::Guid),
    field("Количество", Kind::Quantity),
    field("Сумма", Kind::Number),
    field("Скидка", Kind::Number),
];

static POINTS: [Field; 9] = [
    field("Period", Kind::Date),
    field("Recorder", Kind::Recorder),
    field("Recorder_Type", Kind::RecorderType),
    field("LineNumber", Kind::Int),
    field("Active", Kind::Flag),
    field("RecordType", Kind::Text),
    field("БонуснаяКарта_Key", Kind::Guid),
    field("Начислено", Kind::Number),
    field("КСписанию", Kind::Number),
];

static PRODUCTS: [Field; 7] = [
    field("Ref_Key", Kind::Guid),
    field("DataVersion", Kind::Text),
    field("DeletionMark", Kind::Flag),
    field("Code", Kind::Text),
    field("Description", Kind::Text),
    field("IsFolder", Kind::Flag),
    field("Артикул", Kind::Text),
];

/// The register of sales with its rows nested under the document that wrote them.
pub(super) static NESTED_SALES: [Field; 3] = [
    field("Recorder", Kind::Recorder),
    field("Recorder_Type", Kind::RecorderType),
    field("RecordSet", Kind::Rows(&SALES)),
];

/// The register of points with its rows nested under the document that wrote them.
pub(super) static NESTED_POINTS: [Field; 3] = [
    field("Recorder", Kind::Recorder),
    field("Recorder_Type", Kind::RecorderType),
    field("RecordSet", Kind::Rows(&POINTS)),
];

/// What the virtual table of balances answers.
pub(super) static BALANCE: [Field; 3] = [
    field("БонуснаяКарта_Key", Kind::Guid),
    field("НачисленоBalance", Kind::Number),
    field("КСписаниюBalance", Kind::Number),
];

impl List {
    /// All of them, in the order of [`List::place`].
    pub const ALL: [Self; 5] = [Self::Cards, Self::Customers, Self::Sales, Self::Points, Self::Products];

    /// Its place among all.
    pub fn place(self) -> usize {
        self as usize
    }

    /// Its name as a stream of the simulator.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cards => "cards",
            Self::Customers => "customers",
            Self::Sales => "sales",
            Self::Points => "points",
            Self::Products => "products",
        }
    }

    /// Its name on the wire.
    pub fn set(self) -> &'static str {
        match self {
            Self::Cards => "Catalog_ДисконтныеКарты",
            Self::Customers => "Catalog_Контрагенты",
            Self::Sales => "AccumulationRegister_ПродажиПоДисконтнымКартам_RecordType",
            Self::Points => "AccumulationRegister_БонусныеБаллы_RecordType",
            Self::Products => "Catalog_Номенклатура",
        }
    }

    /// Its columns.
    pub fn fields(self) -> &'static [Field] {
        match self {
            Self::Cards => &CARDS,
            Self::Customers => &CUSTOMERS,
            Self::Sales => &SALES,
            Self::Points => &POINTS,
            Self::Products => &PRODUCTS,
        }
    }

    /// Whether its rows were written by documents.
    pub fn is_register(self) -> bool {
        matches!(self, Self::Sales | Self::Points)
    }
}
